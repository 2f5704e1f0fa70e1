using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;

namespace Symbols.Dwarf.Types;

/// <summary>A named entry outside of functions: a type, a variable or an enumerator.</summary>
/// <param name="Tag">What it is.</param>
/// <param name="IsDeclaration">Its definition is elsewhere, if there is one.</param>
/// <param name="Place">The entry; of an enumerator, its enumeration.</param>
internal readonly record struct Declaration(DwTag Tag, bool IsDeclaration, DieReference Place)
{
    internal bool IsType => Tag is not (DwTag.Variable or DwTag.Member or DwTag.Enumerator);
}

/// <summary>
/// All types, variables and enumerators of a file by qualified name, made in one walk over what is not inside of functions. Headers repeat their types in every unit:
/// only the first definition of a type is kept, and its first declaration.
/// </summary>
internal sealed class DeclarationIndex
{
    private const int MaximumNames = 1 << 22;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Prefix, ulong StringOffset), int> _idsByString = [];
    private readonly List<string> _names = [""];
    private readonly List<(int First, int Last)> _chains = [(-1, -1)];
    private readonly List<(Declaration Declaration, int Next)> _entries = [];
    private string[]? _sortedTypes;

    internal DeclarationIndex(IReadOnlyList<DebugUnit> units)
    {
        foreach (DebugUnit unit in units) Scan(unit.Full);
        _idsByString.Clear();
    }

    /// <summary>Everything of that qualified name, in the file's order.</summary>
    internal IEnumerable<Declaration> Find(string name)
    {
        if (!_ids.TryGetValue(name, out int id)) yield break;
        for (int i = _chains[id].First; i >= 0; i = _entries[i].Next) yield return _entries[i].Declaration;
    }

    /// <summary>Names of types that begin so, in order.</summary>
    internal IEnumerable<string> TypeNames(string prefix)
    {
        _sortedTypes ??= SortTypes();
        int index = Array.BinarySearch(_sortedTypes, prefix, StringComparer.Ordinal);
        for (int i = index < 0 ? ~index : index; i < _sortedTypes.Length && _sortedTypes[i].StartsWith(prefix, StringComparison.Ordinal); i++)
            yield return _sortedTypes[i];
    }

    private string[] SortTypes()
    {
        var names = new List<string>();
        for (int id = 1; id < _names.Count; id++)
        {
            bool isType = false;
            for (int i = _chains[id].First; i >= 0 && !isType; i = _entries[i].Next) isType = _entries[i].Declaration.IsType;
            if (isType) names.Add(_names[id]);
        }
        names.Sort(StringComparer.Ordinal);
        return [.. names];
    }

    private void Scan(DebugUnit unit)
    {
        bool hasScopes = !unit.Attributes.Language.HasNoScopes();
        var prefixes = new Stack<(int Depth, int Prefix)>();
        var cursor = new DieCursor(unit.Header, unit.Abbreviations, unit.Bytes.Span, unit.Header.HeaderSizeBytes);
        ulong enumeration = 0;
        bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext();
        while (isThere)
        {
            while (prefixes.TryPeek(out (int Depth, int Prefix) top) && top.Depth >= cursor.Depth) prefixes.Pop();
            int prefix = prefixes.TryPeek(out (int Depth, int Prefix) inner) ? inner.Prefix : 0;
            ulong offset = unit.Header.Offset + (ulong)cursor.Position;
            switch (cursor.Tag)
            {
                case DwTag.Namespace or DwTag.Module:
                    prefixes.Push((cursor.Depth, NameId(unit, ref cursor, prefix, EntryNames.AnonymousNamespace)));
                    isThere = cursor.MoveNext();
                    break;
                case DwTag.StructureType or DwTag.ClassType or DwTag.UnionType or DwTag.InterfaceType:
                    int record = Add(unit, ref cursor, prefix, offset, offset);
                    if (hasScopes) prefixes.Push((cursor.Depth, record == 0 ? prefix : record));
                    isThere = hasScopes ? cursor.MoveNext() : cursor.MoveNextSibling();
                    break;
                case DwTag.EnumerationType:
                    int id = Add(unit, ref cursor, prefix, offset, offset);
                    prefixes.Push((cursor.Depth, id != 0 && cursor.Attribute(DwAt.EnumClass).Value != 0 ? id : prefix));
                    enumeration = offset;
                    isThere = cursor.MoveNext();
                    break;
                case DwTag.Enumerator:
                    Add(unit, ref cursor, prefix, offset, enumeration);
                    isThere = cursor.MoveNextSibling();
                    break;
                case DwTag.Member when cursor.Attribute(DwAt.External).Value == 0 && cursor.Attribute(DwAt.Declaration).Value == 0:
                    isThere = cursor.MoveNextSibling();
                    break;
                case DwTag.BaseType or DwTag.Typedef or DwTag.TemplateAlias or DwTag.UnspecifiedType or DwTag.SubrangeType or DwTag.Variable or DwTag.Member:
                    Add(unit, ref cursor, prefix, offset, offset);
                    isThere = cursor.MoveNextSibling();
                    break;
                default:
                    isThere = cursor.MoveNextSibling();
                    break;
            }
        }
        if (cursor.Problem is not null)
            unit.Sections.Diagnostics.Add(unit.SectionName, unit.Header.Offset + (ulong)cursor.Position, cursor.Problem);
    }

    // The name's number, 0 for none.
    private int Add(DebugUnit unit, ref DieCursor cursor, int prefix, ulong offset, ulong place)
    {
        int id = cursor.Attribute(DwAt.Specification).IsPresent && EntryNames.Qualified(unit, offset) is { } qualified
            ? Id(qualified) : NameId(unit, ref cursor, prefix, null);
        if (id == 0) return 0;
        DwTag tag = cursor.Tag == DwTag.InterfaceType ? DwTag.ClassType : cursor.Tag;
        var added = new Declaration(tag, IsDeclaration(ref cursor), new DieReference(unit, place));
        (int first, int last) = _chains[id];
        // Of a variable each definition counts, as static ones of several files share a name.
        bool isKeptOnce = tag != DwTag.Variable || added.IsDeclaration;
        for (int i = first; i >= 0 && isKeptOnce; i = _entries[i].Next)
        {
            Declaration other = _entries[i].Declaration;
            if (other.Tag == tag && other.IsDeclaration == added.IsDeclaration) return id;
        }
        int index = _entries.Count;
        _entries.Add((added, -1));
        if (last >= 0) _entries[last] = (_entries[last].Declaration, index);
        _chains[id] = (first < 0 ? index : first, index);
        return id;
    }

    private static bool IsDeclaration(ref DieCursor cursor) => cursor.Tag switch
    {
        DwTag.Variable => !cursor.Attribute(DwAt.Location).IsPresent && !cursor.Attribute(DwAt.ConstantValue).IsPresent,
        DwTag.Member => !cursor.Attribute(DwAt.ConstantValue).IsPresent,
        _ => cursor.Attribute(DwAt.Declaration).Value != 0 || cursor.Attribute(DwAt.Signature).IsPresent,
    };

    // Linkers store equal strings once: most names are known by where they are.
    private int NameId(DebugUnit unit, ref DieCursor cursor, int prefix, string? otherwise)
    {
        AttributeValue name = cursor.Attribute(DwAt.Name);
        bool isShared = name.Form == DwForm.StringPointer;
        if (isShared && _idsByString.TryGetValue((prefix, name.Value), out int known)) return known;
        string? text = unit.StringOf(name, unit.Bytes.Span) ?? otherwise;
        if (string.IsNullOrEmpty(text)) return 0;
        int id = Id(prefix == 0 || _names[prefix].Length > 4096 ? text : $"{_names[prefix]}::{text}");
        if (isShared && id != 0) _idsByString.Add((prefix, name.Value), id);
        return id;
    }

    private int Id(string name)
    {
        if (_ids.TryGetValue(name, out int id)) return id;
        if (_names.Count >= MaximumNames) return 0;
        _names.Add(name);
        _chains.Add((-1, -1));
        return _ids[name] = _names.Count - 1;
    }
}
