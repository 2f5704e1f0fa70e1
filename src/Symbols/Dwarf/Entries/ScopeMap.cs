using System.Collections.Generic;

namespace Symbols.Dwarf.Entries;

/// <summary>The entries of a unit that names are inside of: namespaces, records, scoped enumerations and functions. An entry does not say what it is in.</summary>
internal sealed class ScopeMap
{
    private readonly List<Scope> _scopes = [];

    // From its entry to where what is in it ends; the parent's index is -1 in the unit itself.
    private record struct Scope(ulong Offset, ulong End, int Parent, DwTag Tag);

    internal int Count => _scopes.Count;

    internal static ScopeMap Read(DebugUnit unit)
    {
        var map = new ScopeMap();
        if (unit.Attributes.Language.HasNoScopes()) return map;
        var open = new Stack<(int Depth, int Index)>();
        DieCursor cursor = unit.FirstCursor();
        while (cursor.MoveNext())
        {
            ulong offset = unit.Header.Offset + (ulong)cursor.Position;
            map.Close(open, cursor.Depth, offset);
            if (!cursor.HasChildren || !IsScope(cursor.Tag)) continue;
            int parent = open.TryPeek(out (int Depth, int Index) outer) ? outer.Index : -1;
            open.Push((cursor.Depth, map._scopes.Count));
            map._scopes.Add(new Scope(offset, 0, parent, cursor.Tag));
        }
        map.Close(open, 0, unit.Header.Offset + unit.Header.SizeBytes);
        return map;
    }

    /// <summary>The innermost scope that an entry is in; null: the unit.</summary>
    internal (ulong Offset, DwTag Tag)? Containing(ulong dieOffset)
    {
        int low = 0, high = _scopes.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_scopes[middle].Offset < dieOffset) low = middle + 1;
            else high = middle;
        }
        for (int i = low - 1; i >= 0; i = _scopes[i].Parent)
            if (dieOffset < _scopes[i].End) return (_scopes[i].Offset, _scopes[i].Tag);
        return null;
    }

    private static bool IsScope(DwTag tag) => tag is DwTag.Namespace or DwTag.Module or DwTag.StructureType or DwTag.ClassType or DwTag.UnionType
        or DwTag.InterfaceType or DwTag.EnumerationType or DwTag.Subprogram;

    private void Close(Stack<(int Depth, int Index)> open, int depth, ulong end)
    {
        while (open.TryPeek(out (int Depth, int Index) top) && top.Depth >= depth)
        {
            _scopes[top.Index] = _scopes[top.Index] with { End = end };
            open.Pop();
        }
    }
}
