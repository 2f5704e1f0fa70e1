using System;
using System.Collections.Generic;
using System.Text;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// Goes over units on one thread and collects their names, functions and source lines. Of types that are the same in many units, by kind,
/// name, size and line, one is kept.
/// </summary>
internal sealed class IndexWorker
{
    private const int MaximumNestingDepth = 256;

    private readonly HashSet<ulong> _seen = [];
    private readonly Stack<(int Depth, int PrefixLength)> _scopes = [];
    private readonly List<AddressRange> _ranges = [];
    private byte[] _prefix = new byte[256];
    private byte[] _buffer = [];

    internal IndexWorker(DwarfInfo info) => Info = info;

    /// <summary>One thing that has a name.</summary>
    /// <param name="Name">In <see cref="Names"/>.</param>
    /// <param name="Kind">What it is.</param>
    /// <param name="Job">The builder's number for what the unit was found by.</param>
    /// <param name="Unit">Which unit of it: 0, or from 1 a type unit in the same file.</param>
    /// <param name="Distance">From the unit's start.</param>
    /// <param name="Likeness">Equal for things that are the same in several units; 0: it is one of its own.</param>
    internal readonly record struct Entry(int Name, NamedKinds Kind, int Job, int Unit, uint Distance, ulong Likeness);

    /// <summary>This thread's own view of the files.</summary>
    internal DwarfInfo Info { get; }

    internal NamePool Names { get; } = new();

    internal List<Entry> Entries { get; } = [];

    internal SourceRows Rows { get; } = new();

    /// <summary>By job: the functions of the unit, by address.</summary>
    internal Dictionary<int, (RangeMap Map, List<uint> Distances)> Functions { get; } = [];

    /// <summary>A unit was split off into a file that is not there.</summary>
    internal bool IsIncomplete { get; private set; }

    /// <summary>Does one unit, and the type units that are in the file that was split off it.</summary>
    internal void Do(DebugUnit unit, int job, bool hasLines)
    {
        DebugUnit full = unit.Full;
        if (unit.Attributes.SplitName is not null && unit.Skeleton is null && full == unit) IsIncomplete = true;
        Walk(full, job, 0);
        if (full != unit && full.Set.Splits is null)
            for (int i = 0; i < full.Set.Units.Count; i++)
                if (full.Set.Units[i].Header.IsType) Walk(full.Set.Units[i], job, i + 1);
        if (hasLines) Rows.Add(unit, Info.Sections.Image);
        unit.Release();
    }

    private void Walk(DebugUnit unit, int job, int number)
    {
        unit.ReadInto(ref _buffer);
        _ = unit.Attributes;
        _scopes.Clear();
        var functions = new List<RangeMap.Entry>();
        var distances = new List<uint>();
        int prefix = 0, functionDepth = -1, rangeCount = 0;
        ReadOnlySpan<byte> bytes = unit.Bytes.Span;
        var cursor = new DieCursor(unit.Header, unit.Abbreviations, bytes, unit.Header.HeaderSizeBytes);
        while (cursor.MoveNext())
        {
            int depth = cursor.Depth;
            if (functionDepth >= depth) functionDepth = -1;
            while (_scopes.TryPeek(out (int Depth, int PrefixLength) scope) && scope.Depth >= depth) prefix = _scopes.Pop().PrefixLength;
            if (depth == 0) continue;
            if (cursor.Tag == DwTag.Subprogram)
            {
                _ranges.Clear();
                if (rangeCount < FunctionParser.MaximumRanges) unit.RangesOf(ref cursor, _ranges);
                rangeCount += _ranges.Count;
                if (functionDepth < 0) functionDepth = depth;
                if (_ranges.Count == 0) continue;
                foreach (AddressRange range in _ranges) functions.Add(new RangeMap.Entry(range, distances.Count));
                distances.Add((uint)cursor.Position);
                AddFunction(unit, ref cursor, job, number);
            }
            else if (functionDepth < 0)
            {
                AddNamed(unit, ref cursor, bytes, job, number, ref prefix);
            }
        }
        if (functions.Count > 0 && number == 0) Functions[job] = (new RangeMap(functions), distances);
        unit.Release();
    }

    private void AddFunction(DebugUnit unit, ref DieCursor cursor, int job, int number)
    {
        if (!Info.Sections.Image.IsMapped(FunctionParser.EntryPc(unit, ref cursor, _ranges))) return;
        FunctionNames names = unit.NamesOf(unit.Header.Offset + (ulong)cursor.Position);
        if (names.Name is { } name) Add(Encoding.UTF8.GetBytes(name), NamedKinds.Function, job, number, cursor.Position, 0);
        if (names.LinkageName is { } linkage && linkage != names.Name) Add(Encoding.UTF8.GetBytes(linkage), NamedKinds.Function, job, number, cursor.Position, 0);
    }

    private void AddNamed(DebugUnit unit, ref DieCursor cursor, ReadOnlySpan<byte> bytes, int job, int number, ref int prefix)
    {
        NamedKinds kind = cursor.Tag switch
        {
            DwTag.StructureType => NamedKinds.Structure,
            DwTag.UnionType => NamedKinds.Union,
            DwTag.ClassType or DwTag.InterfaceType => NamedKinds.Class,
            DwTag.EnumerationType => NamedKinds.Enumeration,
            DwTag.Typedef => NamedKinds.TypeDef,
            DwTag.BaseType or DwTag.UnspecifiedType => NamedKinds.Base,
            DwTag.Enumerator => NamedKinds.Enumerator,
            DwTag.Variable => NamedKinds.Variable,
            DwTag.Namespace => NamedKinds.None,
            _ => NamedKinds.Declaration,
        };
        if (kind == NamedKinds.Declaration) return;
        ReadOnlySpan<byte> name = unit.StringBytesOf(cursor.Attribute(DwAt.Name), bytes);
        if (kind == NamedKinds.None)
        {
            Open(ref prefix, cursor.Depth, name.IsEmpty ? "(anonymous namespace)"u8 : name);
            return;
        }
        bool isScope = kind is NamedKinds.Structure or NamedKinds.Union or NamedKinds.Class || cursor.Attribute(DwAt.EnumClass).Value != 0;
        bool isDeclaration = cursor.Attribute(DwAt.Declaration).Value != 0;
        ulong likeness = 0;
        if (kind == NamedKinds.Variable)
        {
            if (isDeclaration || !(cursor.Attribute(DwAt.Location).IsPresent || cursor.Attribute(DwAt.ConstantValue).IsPresent)) return;
            // The definition of what was declared before.
            if (name.IsEmpty) name = unit.NameOf(cursor.Attribute(DwAt.Specification));
        }
        else
        {
            ulong size = kind == NamedKinds.Enumerator ? cursor.Attribute(DwAt.ConstantValue).Value : cursor.Attribute(DwAt.ByteSize).Value;
            likeness = Checksum64.Combine(size, cursor.Attribute(DwAt.DeclarationLine).Value) | 1;
            if (isDeclaration) kind |= NamedKinds.Declaration;
        }
        if (!name.IsEmpty && !Add(Qualified(prefix, name), kind, job, number, cursor.Position, likeness) && kind != NamedKinds.Enumerator)
        {
            if (cursor.TrySkipChildren()) return;
        }
        if (isScope && !name.IsEmpty) Open(ref prefix, cursor.Depth, name);
    }

    // False if the same is known from an earlier unit.
    private bool Add(ReadOnlySpan<byte> name, NamedKinds kind, int job, int number, int position, ulong likeness)
    {
        int id = Names.Add(name);
        if (id < 0) return false;
        if (likeness != 0 && !_seen.Add(Checksum64.Combine(likeness, ((ulong)kind << 32) | (uint)id))) return false;
        Entries.Add(new Entry(id, kind, job, number, (uint)position, likeness));
        return true;
    }

    private void Open(ref int prefix, int depth, ReadOnlySpan<byte> name)
    {
        if (_scopes.Count >= MaximumNestingDepth) return;
        _scopes.Push((depth, prefix));
        prefix = Qualified(prefix, name).Length + 2;
        if (_prefix.Length < prefix) Array.Resize(ref _prefix, prefix * 2);
        "::"u8.CopyTo(_prefix.AsSpan(prefix - 2));
    }

    private ReadOnlySpan<byte> Qualified(int prefix, ReadOnlySpan<byte> name)
    {
        if (prefix + name.Length > _prefix.Length) Array.Resize(ref _prefix, (prefix + name.Length) * 2);
        name.CopyTo(_prefix.AsSpan(prefix));
        return _prefix.AsSpan(0, prefix + name.Length);
    }
}
