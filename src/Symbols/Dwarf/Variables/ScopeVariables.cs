using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Types;

namespace Symbols.Dwarf.Variables;

/// <summary>What can be seen at an address in a function or in an inlined copy of one: parameters and the variables of the blocks around the address.</summary>
internal sealed class ScopeVariables
{
    private const int MaximumDepth = 100;

    private readonly List<(int Level, DieReference Place)> _found = [];
    private readonly DieReference _function;
    private readonly ulong _pc;
    private readonly bool _isEverything;

    private ScopeVariables(DieReference function, ulong pc, bool isEverything)
    {
        _function = function;
        _pc = pc;
        _isEverything = isEverything;
    }

    /// <summary>The innermost block's first.</summary>
    /// <param name="scope">The function's entry, or an inlined call's.</param>
    /// <param name="function">The function whose code it is in.</param>
    /// <param name="pc">The address.</param>
    internal static List<DebugVariable> At(DieReference scope, DieReference function, ulong pc)
    {
        var variables = new ScopeVariables(function, pc, false);
        variables.Walk(scope, 0);
        return variables.Sorted();
    }

    /// <summary>The parameters alone, in their order.</summary>
    internal static List<DebugVariable> Parameters(DieReference function)
    {
        var variables = new ScopeVariables(function, 0, true);
        variables.Walk(function, 0);
        return variables.Sorted().FindAll(static variable => variable.IsParameter);
    }

    private List<DebugVariable> Sorted()
    {
        int deepest = 0;
        foreach ((int level, _) in _found) deepest = System.Math.Max(deepest, level);
        var names = new HashSet<string>();
        var sorted = new List<DebugVariable>();
        for (int level = deepest; level >= 0; level--)
        {
            // Those of one block do not hide each other.
            int first = sorted.Count;
            foreach ((int at, DieReference place) in _found)
            {
                if (at != level) continue;
                string? name = EntryNames.Simple(place);
                sorted.Add(new DebugVariable(place, _function) { BlockDepth = level, IsShadowed = name is not null && names.Contains(name) });
            }
            for (int i = first; i < sorted.Count; i++)
                if (sorted[i].Name is { } name) names.Add(name);
        }
        return sorted;
    }

    private void Walk(DieReference scope, int level)
    {
        DebugUnit unit = scope.Unit;
        DieCursor cursor = unit.CursorAt(scope.Offset);
        if (level > MaximumDepth || !cursor.MoveNext()) return;
        DieReference? origin = Origin(ref cursor, unit);
        ulong start = StartOf(ref cursor, unit);
        var concrete = new HashSet<DieReference>();
        for (bool isThere = cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (cursor.Tag is DwTag.CallSite or DwTag.GnuCallSite) continue;
            if (origin is not null && Origin(ref cursor, unit) is { } abstractEntry) concrete.Add(abstractEntry);
            var place = new DieReference(unit, unit.Header.Offset + (ulong)cursor.Position);
            if (cursor.Tag is DwTag.FormalParameter or DwTag.Variable)
            {
                if (IsInScope(ref cursor, start)) Add(level, place);
            }
            else if (!_isEverything && IsBlock(cursor.Tag))
            {
                WalkBlock(ref cursor, place, level);
            }
        }
        // What is left of the abstract instance's has no entry in this copy: it is optimized out, but it was declared.
        if (origin is { } missing) WalkAbstract(missing, concrete, level, 0);
    }

    private void WalkBlock(ref DieCursor cursor, DieReference place, int level)
    {
        bool hasRange = cursor.Attribute(DwAt.Ranges).IsPresent || cursor.Attribute(DwAt.HighPc).IsPresent;
        if (!hasRange)
        {
            // A block whose code is gone: what is in it belongs to the one around it.
            Walk(place, level + 1);
            return;
        }
        var ranges = new List<AddressRange>();
        place.Unit.RangesOf(ref cursor, ranges);
        foreach (AddressRange range in ranges)
        {
            if (!range.Contains(_pc)) continue;
            Walk(place, level + 1);
            return;
        }
    }

    private void WalkAbstract(DieReference scope, HashSet<DieReference> concrete, int level, int depth)
    {
        DebugUnit unit = scope.Unit;
        DieCursor cursor = unit.CursorAt(scope.Offset);
        if (depth > MaximumDepth || !cursor.MoveNext()) return;
        for (bool isThere = cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            var place = new DieReference(unit, unit.Header.Offset + (ulong)cursor.Position);
            if (concrete.Contains(place)) continue;
            if (cursor.Tag is DwTag.FormalParameter or DwTag.Variable) Add(level, place);
            else if (!_isEverything && IsBlock(cursor.Tag)) WalkAbstract(place, concrete, level, depth + 1);
        }
    }

    private void Add(int level, DieReference place)
    {
        if (_found.Count < RecordReader.MaximumMembers) _found.Add((level, place));
    }

    private static bool IsBlock(DwTag tag) => tag is DwTag.LexicalBlock or DwTag.TryBlock or DwTag.CatchBlock or DwTag.WithStatement;

    private static ulong StartOf(ref DieCursor cursor, DebugUnit unit) => cursor.Attribute(DwAt.LowPc) is { IsAddress: true } low ? unit.AddressOf(low) : 0;

    // DW_AT_start_scope: from so many bytes behind the block's start (DWARF 5, 2.4).
    private bool IsInScope(ref DieCursor cursor, ulong start) =>
        _isEverything || cursor.Attribute(DwAt.StartScope) is not { IsConstant: true } behind || _pc >= start + behind.Value;

    private static DieReference? Origin(ref DieCursor cursor, DebugUnit unit) =>
        cursor.Attribute(DwAt.AbstractOrigin) is { IsPresent: true } value && unit.Resolve(value) is ({ } target, var offset)
            ? new DieReference(target, offset) : null;
}
