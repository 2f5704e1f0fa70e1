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
    private const int MaximumNestingDepth = 256, MaximumPrefixBytes = 1 << 14;

    /// <summary>Of what an inlined call refers to: it is a place in the section, not in the unit.</summary>
    private const ulong SectionReference = 1ul << 63;

    /// <summary>Of what is seen by its string's place, not by its name.</summary>
    private const ulong StringPlace = 1ul << 63;

    /// <summary>Instead of a function's distance: outside of all; in one without code, as a declaration.</summary>
    private const int Outside = -1, WithoutCode = 0;

    private readonly HashSet<ulong> _seen = [];
    private readonly Stack<Scope> _scopes = [];
    private readonly List<AddressRange> _ranges = [];
    private readonly Dictionary<int, (int Name, int LinkageName)> _abstract = [];
    private readonly HashSet<(ulong Origin, int Function)> _inlined = [];
    private byte[] _prefix = new byte[256];
    private byte[] _buffer = [];
    private DwarfInfo? _info;
    private int _prefixStart, _prefixEnd, _function, _enumeration;

    internal IndexWorker(DwarfInfo info) => _info = info;

    /// <summary>One thing that has a name.</summary>
    /// <param name="Name">In <see cref="Names"/>.</param>
    /// <param name="Kind">What it is.</param>
    /// <param name="Job">The builder's number for what the unit was found by.</param>
    /// <param name="Unit">Which unit of it: 0, or from 1 a type unit in the same file.</param>
    /// <param name="Distance">From the unit's start.</param>
    /// <param name="Likeness">Equal for things that are the same in several units; 0: it is one of its own.</param>
    internal readonly record struct Entry(int Name, NamedKinds Kind, int Job, int Unit, uint Distance, ulong Likeness);

    // What names were like outside of an entry that others are in.
    private readonly record struct Scope(int Depth, int PrefixStart, int PrefixEnd, int Function);

    /// <summary>This thread's own view of the files.</summary>
    internal DwarfInfo Info => _info ?? throw new InvalidOperationException("The walk has ended.");

    internal NamePool Names { get; } = new();

    internal List<Entry> Entries { get; } = [];

    internal SourceRows Rows { get; } = new();

    /// <summary>By job: the functions of the unit, by address.</summary>
    internal Dictionary<int, (RangeMap Map, List<uint> Distances)> Functions { get; } = [];

    /// <summary>The jobs whose units have another half.</summary>
    internal HashSet<int> SplitJobs { get; } = [];

    /// <summary>A unit was split off into a file that is not there.</summary>
    internal bool IsIncomplete { get; private set; }

    /// <summary>Does one unit, and the type units that are in the file that was split off it.</summary>
    internal void Do(DebugUnit unit, int job, bool hasLines)
    {
        DebugUnit full = unit.Full;
        if (unit.Attributes.SplitName is not null && unit.Skeleton is null && full == unit) IsIncomplete = true;
        if (full != unit) SplitJobs.Add(job);
        Walk(full, job, 0);
        if (full != unit && full.Set.Splits is null)
            for (int i = 0; i < full.Set.Units.Count; i++)
                if (full.Set.Units[i].Header.IsType) Walk(full.Set.Units[i], job, i + 1);
        if (hasLines) Rows.Add(unit, job, Info.Sections.Image);
        unit.Release();
    }

    /// <summary>No more units: what only they needed is forgotten.</summary>
    internal void EndWalk()
    {
        _info?.Files?.Dispose();
        _info = null;
        _seen.Clear();
        _seen.TrimExcess();
    }

    private void Walk(DebugUnit unit, int job, int number)
    {
        unit.ReadInto(ref _buffer);
        bool hasScopes = !unit.Attributes.Language.HasNoScopes();
        _scopes.Clear();
        _abstract.Clear();
        _inlined.Clear();
        (_prefixStart, _prefixEnd, _function) = (0, 0, Outside);
        var functions = new List<RangeMap.Entry>();
        var distances = new List<uint>();
        int rangeCount = 0;
        DieCursor cursor = unit.FirstCursor();
        while (cursor.MoveNext())
        {
            int depth = cursor.Depth;
            while (_scopes.TryPeek(out Scope scope) && scope.Depth >= depth) (_, _prefixStart, _prefixEnd, _function) = _scopes.Pop();
            if (depth == 0) continue;
            if (cursor.Tag == DwTag.Subprogram)
            {
                _ranges.Clear();
                if (rangeCount < FunctionParser.MaximumRanges) unit.RangesOf(ref cursor, _ranges);
                rangeCount += _ranges.Count;
                if (_ranges.Count > 0)
                {
                    foreach (AddressRange range in _ranges) functions.Add(new RangeMap.Entry(range, distances.Count));
                    distances.Add((uint)cursor.Position);
                    AddFunction(unit, ref cursor, hasScopes, job, number);
                }
                else
                {
                    NoteAbstract(unit, ref cursor);
                }
                if (_scopes.Count >= MaximumNestingDepth) continue;
                _scopes.Push(new Scope(depth, _prefixStart, _prefixEnd, _function));
                (_prefixStart, _function) = (_prefixEnd, _ranges.Count > 0 ? cursor.Position : WithoutCode);
            }
            else if (cursor.Tag == DwTag.InlinedSubroutine)
            {
                AttributeValue origin = cursor.Attribute(DwAt.AbstractOrigin);
                if (_function > 0 && origin.IsUnitReference) _inlined.Add((origin.Value, _function));
                else if (_function > 0 && origin.Form == DwForm.ReferenceAddress) _inlined.Add((origin.Value | SectionReference, _function));
            }
            else
            {
                AddNamed(unit, ref cursor, hasScopes, job, number);
            }
        }
        if (number == 0) AddInlined(unit, job);
        if (functions.Count > 0 && number == 0) Functions[job] = (new RangeMap(functions), distances);
        unit.Release();
    }

    private void AddFunction(DebugUnit unit, ref DieCursor cursor, bool hasScopes, int job, int number)
    {
        if (!Info.Sections.Image.IsMapped(FunctionParser.EntryPc(unit, ref cursor, _ranges))) return;
        int position = cursor.Position;
        if (!hasScopes && !cursor.Attribute(DwAt.AbstractOrigin).IsPresent && !cursor.Attribute(DwAt.Specification).IsPresent
            && !cursor.Attribute(DwAt.LinkageName).IsPresent && !cursor.Attribute(DwAt.MipsLinkageName).IsPresent)
        {
            ReadOnlySpan<byte> plain = unit.StringBytesOf(cursor.Attribute(DwAt.Name));
            if (!plain.IsEmpty) Add(plain, NamedKinds.Function, job, number, position, 0, false);
            return;
        }
        FunctionNames names = unit.NamesOf(unit.Header.Offset + (ulong)position);
        if (names.Name is { } name) Add(name, NamedKinds.Function, job, number, position);
        if (names.LinkageName is { } linkage && linkage != names.Name) Add(linkage, NamedKinds.Function, job, number, position);
        if (hasScopes && EntryNames.Qualified(unit, unit.Header.Offset + (ulong)position) is { } qualified && qualified != names.Name && qualified != names.LinkageName)
            Add(qualified, NamedKinds.Function, job, number, position);
    }

    // What inlined calls refer to, which may come before it.
    private void NoteAbstract(DebugUnit unit, ref DieCursor cursor)
    {
        if (!cursor.Attribute(DwAt.Inline).IsPresent || cursor.Attribute(DwAt.Specification).IsPresent || cursor.Attribute(DwAt.AbstractOrigin).IsPresent) return;
        if (cursor.Attribute(DwAt.MipsLinkageName).IsPresent) return;
        ReadOnlySpan<byte> name = unit.StringBytesOf(cursor.Attribute(DwAt.Name));
        int id = name.IsEmpty ? -1 : Names.Add(name);
        ReadOnlySpan<byte> linkage = unit.StringBytesOf(cursor.Attribute(DwAt.LinkageName));
        int linkageId = linkage.IsEmpty ? -1 : Names.Add(linkage);
        _abstract[cursor.Position] = (id, linkageId == id ? -1 : linkageId);
    }

    // A function's copies by its names: of each, the function that has it.
    private void AddInlined(DebugUnit unit, int job)
    {
        foreach ((ulong origin, int function) in _inlined)
        {
            if (origin <= int.MaxValue && _abstract.TryGetValue((int)origin, out (int Name, int LinkageName) names))
            {
                AddInlined(names.Name, job, function);
                AddInlined(names.LinkageName, job, function);
                continue;
            }
            var reference = new AttributeValue((origin & SectionReference) != 0 ? DwForm.ReferenceAddress : DwForm.Reference4, origin & ~SectionReference, 0);
            if (unit.Resolve(reference) is not ({ } target, var offset)) continue;
            FunctionNames found = target.NamesOf(offset);
            int name = found.Name is { Length: > 0 } text ? Names.Add(Encoding.UTF8.GetBytes(text)) : -1;
            int linkage = found.LinkageName is { Length: > 0 } other && other != found.Name ? Names.Add(Encoding.UTF8.GetBytes(other)) : -1;
            // Most are referred to by more than one call.
            if (origin <= int.MaxValue) _abstract[(int)origin] = (name, linkage);
            AddInlined(name, job, function);
            AddInlined(linkage, job, function);
        }
    }

    private void AddInlined(int name, int job, int function)
    {
        if (name >= 0) Entries.Add(new Entry(name, NamedKinds.Inlined, job, 0, (uint)function, 0));
    }

    private void AddNamed(DebugUnit unit, ref DieCursor cursor, bool hasScopes, int job, int number)
    {
        NamedKinds kind = KindOf(cursor.Tag);
        if (kind == NamedKinds.Declaration) return;
        AttributeValue written = cursor.Attribute(DwAt.Name);
        if (kind == NamedKinds.None)
        {
            ReadOnlySpan<byte> space = unit.StringBytesOf(written);
            Open(cursor.Depth, space.IsEmpty ? "(anonymous namespace)"u8 : space);
            return;
        }
        bool isDefinition = kind != NamedKinds.Variable || cursor.Attribute(DwAt.ConstantValue).IsPresent;
        if (kind == NamedKinds.Variable)
        {
            // Within a function they belong to its frames; and members of a record are variables only if they are static.
            if (_function != Outside) return;
            if (cursor.Tag == DwTag.Member && cursor.Attribute(DwAt.External).Value == 0 && cursor.Attribute(DwAt.Declaration).Value == 0) return;
            isDefinition |= cursor.Tag == DwTag.Variable && cursor.Attribute(DwAt.Location).IsPresent;
        }
        else if (cursor.Attribute(DwAt.Declaration).Value != 0 || cursor.Attribute(DwAt.Signature).IsPresent)
        {
            isDefinition = false;
        }
        int position = cursor.Position;
        ulong likeness = 1;
        if (kind == NamedKinds.Enumeration) _enumeration = position;
        if (kind == NamedKinds.Enumerator)
        {
            position = _enumeration;
            likeness = Checksum64.Combine(cursor.Attribute(DwAt.ConstantValue).Value, 0) | 1;
        }
        else if (kind != NamedKinds.Variable)
        {
            likeness = Checksum64.Combine(cursor.Attribute(DwAt.ByteSize).Value, cursor.Attribute(DwAt.DeclarationLine).Value) | 1;
        }
        else if (isDefinition)
        {
            likeness = 0;
        }
        NamedKinds full = kind | (isDefinition ? NamedKinds.None : NamedKinds.Declaration) | (_function == Outside ? NamedKinds.None : NamedKinds.Local);
        bool isRecord = (kind & (NamedKinds.Structure | NamedKinds.Union | NamedKinds.Class)) != 0;
        bool isScope = (isRecord && hasScopes) || (kind == NamedKinds.Enumeration && cursor.Attribute(DwAt.EnumClass).Value != 0);
        bool isSpecified = cursor.Attribute(DwAt.Specification).IsPresent;
        // Most entries are in many units: outside of all scopes their string's place tells them, and it need not be read.
        bool isTold = likeness != 0 && !isSpecified && _prefixStart == _prefixEnd && written.Form == DwForm.StringPointer && unit.Set == Info.Set;
        bool isKnown = isTold && !_seen.Add(Checksum64.Combine(likeness, ((ulong)full << 40) ^ written.Value ^ StringPlace));
        // Of one that is declared elsewhere, the declaration says what it is in.
        ReadOnlySpan<byte> name = isKnown && !isScope ? default
            : isSpecified ? Encoding.UTF8.GetBytes(EntryNames.Qualified(unit, unit.Header.Offset + (ulong)cursor.Position) ?? "") : unit.StringBytesOf(written);
        int start = isSpecified ? _prefixEnd : _prefixStart;
        bool isNew = !isKnown && !name.IsEmpty && Add(Qualified(start, name), full, job, number, position, likeness, isTold);
        // What is in C's records has no name outside of them, and the enumerators of a known enumeration are known.
        bool isDone = (isRecord && !hasScopes) || (kind == NamedKinds.Enumeration && !isNew && (isKnown || !name.IsEmpty));
        if (isDone && cursor.TrySkipChildren()) return;
        if (isScope && !name.IsEmpty) Open(cursor.Depth, name, start);
    }

    private static NamedKinds KindOf(DwTag tag) => tag switch
    {
        DwTag.StructureType => NamedKinds.Structure,
        DwTag.UnionType => NamedKinds.Union,
        DwTag.ClassType or DwTag.InterfaceType => NamedKinds.Class,
        DwTag.EnumerationType => NamedKinds.Enumeration,
        DwTag.Typedef or DwTag.TemplateAlias => NamedKinds.TypeDef,
        DwTag.BaseType or DwTag.UnspecifiedType or DwTag.SubrangeType => NamedKinds.Base,
        DwTag.Enumerator => NamedKinds.Enumerator,
        DwTag.Variable or DwTag.Member => NamedKinds.Variable,
        DwTag.Namespace or DwTag.Module => NamedKinds.None,
        _ => NamedKinds.Declaration,
    };

    private void Add(string name, NamedKinds kind, int job, int number, int position) => Add(Encoding.UTF8.GetBytes(name), kind, job, number, position, 0, false);

    // False if the same is known from an earlier unit.
    private bool Add(ReadOnlySpan<byte> name, NamedKinds kind, int job, int number, int position, ulong likeness, bool isNew)
    {
        int id = Names.Add(name);
        if (id < 0) return false;
        if (!isNew && likeness != 0 && !_seen.Add(Checksum64.Combine(likeness, ((ulong)kind << 32) | (uint)id))) return false;
        Entries.Add(new Entry(id, kind, job, number, (uint)position, likeness));
        return true;
    }

    private void Open(int depth, ReadOnlySpan<byte> name) => Open(depth, name, _prefixStart);

    private void Open(int depth, ReadOnlySpan<byte> name, int start)
    {
        if (_scopes.Count >= MaximumNestingDepth || _prefixEnd + name.Length > MaximumPrefixBytes) return;
        _scopes.Push(new Scope(depth, _prefixStart, _prefixEnd, _function));
        Qualified(start, name);
        (_prefixStart, _prefixEnd) = (start, _prefixEnd + name.Length + 2);
        if (_prefix.Length < _prefixEnd) Array.Resize(ref _prefix, _prefixEnd * 2);
        "::"u8.CopyTo(_prefix.AsSpan(_prefixEnd - 2));
    }

    // The scopes from a place on, and the name: what is outside of that stays as it is.
    private ReadOnlySpan<byte> Qualified(int start, ReadOnlySpan<byte> name)
    {
        if (_prefixEnd + name.Length > _prefix.Length) Array.Resize(ref _prefix, (_prefixEnd + name.Length) * 2);
        name.CopyTo(_prefix.AsSpan(_prefixEnd));
        return _prefix.AsSpan(start, _prefixEnd + name.Length - start);
    }
}
