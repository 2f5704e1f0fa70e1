using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;

namespace Symbols.Dwarf.Functions;

/// <summary>Collects a unit's functions and what was inlined into them, in one walk over its entries.</summary>
internal static class FunctionParser
{
    // A list of ranges can be referred to by every entry: all of a unit's together are bounded.
    internal const int MaximumRanges = 1 << 20;

    /// <summary>Those of the entry at a position and of all below it: the whole unit, or one function.</summary>
    internal static DebugFunction[] Read(DebugUnit unit, int position)
    {
        var cursor = new DieCursor(unit.Header, unit.Abbreviations, unit.Bytes.Span, position);
        DebugFunction[] functions = Read(unit, ref cursor);
        if (cursor.Problem is not null)
            unit.Sections.Diagnostics.Add(unit.SectionName, unit.Header.Offset + (ulong)cursor.Position, cursor.Problem);
        return functions;
    }

    /// <summary>As <see cref="Read(DebugUnit, int)"/> of a part of the unit that starts at the position; false: it does not end in that part, or is damaged.</summary>
    internal static bool TryRead(DebugUnit unit, ReadOnlySpan<byte> part, int position, out DebugFunction[] functions)
    {
        var cursor = new DieCursor(unit.Header, unit.Abbreviations, part, 0, position);
        functions = Read(unit, ref cursor);
        return cursor.Problem is null;
    }

    private static DebugFunction[] Read(DebugUnit unit, ref DieCursor cursor)
    {
        var functions = new List<DebugFunction>();
        // What encloses the current entry, with its depth: a function or an inlined call. Lexical blocks are looked through.
        var open = new Stack<(int Depth, List<InlinedCall>? Calls)>();
        var ranges = new List<AddressRange>();
        int rangeCount = 0;
        while (cursor.MoveNext())
        {
            while (open.TryPeek(out (int Depth, List<InlinedCall>? Calls) outer) && outer.Depth >= cursor.Depth) open.Pop();
            if (cursor.Tag is not (DwTag.Subprogram or DwTag.InlinedSubroutine)) continue;
            int depth = cursor.Depth;
            ulong offset = unit.Header.Offset + (ulong)cursor.Position;
            ranges.Clear();
            if (rangeCount < MaximumRanges) unit.RangesOf(ref cursor, ranges);
            rangeCount += ranges.Count;
            List<InlinedCall>? calls = null;
            if (cursor.Tag == DwTag.Subprogram)
            {
                // Declarations and abstract instances have no code; nothing below them has.
                if (ranges.Count > 0)
                {
                    var function = new DebugFunction(unit, offset, [.. ranges], EntryPc(unit, ref cursor, ranges));
                    functions.Add(function);
                    calls = function.CallList;
                }
            }
            else if (open.TryPeek(out (int Depth, List<InlinedCall>? Calls) parent) && parent.Calls is not null)
            {
                var call = new InlinedCall(unit, offset, [.. ranges], Number(ref cursor, DwAt.CallFile), Number(ref cursor, DwAt.CallLine),
                    Number(ref cursor, DwAt.CallColumn));
                parent.Calls.Add(call);
                calls = call.CallList;
            }
            open.Push((depth, calls));
        }
        return [.. functions];
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
