using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;

namespace Symbols.Dwarf.Functions;

/// <summary>Collects a unit's functions and what was inlined into them, in one walk over its entries.</summary>
internal static class FunctionParser
{
    // A list of ranges can be referred to by every entry: all of a unit's together are bounded.
    internal const int MaximumRanges = 1 << 20;

    /// <summary>All of a unit, with everything that was inlined into them.</summary>
    internal static DebugFunction[] ReadAll(DebugUnit unit)
    {
        DieCursor cursor = unit.FirstCursor();
        var functions = new List<DebugFunction>();
        Walk(unit, ref cursor, functions, null);
        return [.. functions];
    }

    /// <summary>The function of one entry, whose inlined calls are read when they are asked for; null: it has no code.</summary>
    internal static DebugFunction? ReadOne(DebugUnit unit, ulong dieOffset) =>
        ReadCode(unit, dieOffset) is { Ranges.Length: > 0 } code ? new DebugFunction(unit, dieOffset, code.Ranges, code.EntryPc, null) : null;

    /// <summary>The code of the function of one entry; no ranges: it has none.</summary>
    internal static (AddressRange[] Ranges, ulong EntryPc) ReadCode(DebugUnit unit, ulong dieOffset)
    {
        DieCursor cursor = unit.CursorAt(dieOffset);
        bool isThere = cursor.MoveNext();
        Tell(unit, cursor);
        if (!isThere || cursor.Tag != DwTag.Subprogram) return ([], 0);
        var ranges = new List<AddressRange>();
        unit.RangesOf(ref cursor, ranges);
        return ranges.Count > 0 ? ([.. ranges], EntryPc(unit, ref cursor, ranges)) : ([], 0);
    }

    /// <summary>What was inlined into a function or into an inlined call, at the first level, with what is further inside.</summary>
    internal static List<InlinedCall> ReadCalls(DebugUnit unit, ulong dieOffset)
    {
        DieCursor cursor = unit.CursorAt(dieOffset);
        var calls = new List<InlinedCall>();
        if (cursor.MoveNext()) Walk(unit, ref cursor, null, calls);
        else Tell(unit, cursor);
        return calls;
    }

    /// <summary>
    /// As following an address through <see cref="ReadCalls"/>, the first call at each level that has it, outermost first: only those are read, and what is beside them is
    /// passed over.
    /// </summary>
    internal static List<InlinedCall> ReadCallsAt(DebugUnit unit, ulong dieOffset, ulong address)
    {
        var chain = new List<InlinedCall>();
        DieCursor cursor = unit.CursorAt(dieOffset);
        bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext();
        var ranges = new List<AddressRange>();
        int inside = 0, rangeCount = 0;
        while (isThere && cursor.Depth > inside)
        {
            // A function in a function has calls of its own.
            bool isPassed = cursor.Tag == DwTag.Subprogram;
            if (cursor.Tag == DwTag.InlinedSubroutine)
            {
                ranges.Clear();
                if (rangeCount < MaximumRanges) unit.RangesOf(ref cursor, ranges);
                rangeCount += ranges.Count;
                isPassed = !ranges.Exists(range => range.Contains(address));
                if (!isPassed)
                {
                    chain.Add(CallAt(unit, ref cursor, ranges, null));
                    if (!cursor.HasChildren) return chain;
                    inside = cursor.Depth;
                }
            }
            isThere = isPassed ? cursor.MoveNextSibling() : cursor.MoveNext();
        }
        Tell(unit, cursor);
        return chain;
    }

    private static InlinedCall CallAt(DebugUnit unit, ref DieCursor cursor, List<AddressRange> ranges, List<InlinedCall>? calls) =>
        new(unit, unit.Header.Offset + (ulong)cursor.Position, [.. ranges], Number(ref cursor, DwAt.CallFile), Number(ref cursor, DwAt.CallLine),
            Number(ref cursor, DwAt.CallColumn), calls);

    private static void Tell(DebugUnit unit, in DieCursor cursor)
    {
        if (cursor.Problem is not null) unit.Sections.Diagnostics.Add(unit.SectionName, unit.Header.Offset + (ulong)cursor.Position, cursor.Problem);
    }

    // All functions below the unit's entry; or what is in the entry that the cursor is at.
    private static void Walk(DebugUnit unit, ref DieCursor cursor, List<DebugFunction>? functions, List<InlinedCall>? calls)
    {
        // What encloses the current entry, with its depth: a function or an inlined call. Lexical blocks are looked through.
        var open = new Stack<(int Depth, List<InlinedCall>? Calls)>();
        if (calls is not null) open.Push((0, calls));
        var ranges = new List<AddressRange>();
        int rangeCount = 0;
        while (cursor.MoveNext())
        {
            while (open.TryPeek(out (int Depth, List<InlinedCall>? Calls) outer) && outer.Depth >= cursor.Depth) open.Pop();
            if (cursor.Tag is not (DwTag.Subprogram or DwTag.InlinedSubroutine)) continue;
            int depth = cursor.Depth;
            ranges.Clear();
            if (rangeCount < MaximumRanges) unit.RangesOf(ref cursor, ranges);
            rangeCount += ranges.Count;
            List<InlinedCall>? inner = null;
            if (cursor.Tag == DwTag.Subprogram)
            {
                // Declarations and abstract instances have no code; nothing below them has.
                if (ranges.Count > 0) inner = [];
                if (ranges.Count > 0 && functions is not null)
                    functions.Add(new DebugFunction(unit, unit.Header.Offset + (ulong)cursor.Position, [.. ranges], EntryPc(unit, ref cursor, ranges), inner));
            }
            else if (open.TryPeek(out (int Depth, List<InlinedCall>? Calls) parent) && parent.Calls is not null)
            {
                inner = [];
                parent.Calls.Add(CallAt(unit, ref cursor, ranges, inner));
            }
            open.Push((depth, inner));
        }
        Tell(unit, cursor);
    }

    private static uint Number(ref DieCursor cursor, DwAt name) =>
        cursor.Attribute(name) is { IsConstant: true } value ? (uint)Math.Min(value.Value, uint.MaxValue) : 0;

    // DW_AT_entry_pc, else DW_AT_low_pc, else the first of the ranges (DWARF 5, 2.18).
    internal static ulong EntryPc(DebugUnit unit, ref DieCursor cursor, List<AddressRange> ranges)
    {
        AttributeValue entry = cursor.Attribute(DwAt.EntryPc);
        if (entry.IsAddress) return unit.AddressOf(entry);
        return cursor.Attribute(DwAt.LowPc) is { IsAddress: true } low ? unit.AddressOf(low) : ranges[0].Start;
    }
}
