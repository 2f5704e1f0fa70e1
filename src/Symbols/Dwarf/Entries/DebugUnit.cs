using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>
/// One unit. Its bytes are read when something in it is asked for; what was decoded can be dropped again (<see cref="Release"/>) and is
/// then read anew when next needed. A skeleton answers for its other half (<see cref="Full"/>), which is in a file of its own (DWARF 5, 7.3.2).
/// </summary>
internal sealed class DebugUnit
{
    // A chain is: concrete copy -> abstract instance -> declaration in a class. Anything longer is a cycle.
    private const int MaximumOriginDepth = 16;

    // What the unit's own entry takes at most.
    private const int UnitEntryBytes = 4096;


    private readonly UnitSet _set;
    private readonly SectionData _section;
    private DebugUnit? _split;
    private bool _isSplitRead;
    private ReadOnlyMemory<byte> _bytes;
    private AbbreviationTable? _abbreviations;
    private UnitAttributes? _attributes;
    private DebugFunction[]? _functions;
    private Dictionary<ulong, DebugFunction?>? _single;
    private RangeMap? _functionMap;
    private LineTable? _lineTable;
    private ScopeMap? _scopes;
    private bool _isLineTableRead;
    private LinePoints? _lines;
    private bool _areLinesRead, _areLinesIndexed, _isNoted;
    private ulong _baseAddress;

    /// <param name="set">The units that it belongs to.</param>
    /// <param name="header">Its header.</param>
    /// <param name="index">Its number among them.</param>
    /// <param name="section">Where it is: <c>.debug_info</c> or <c>.debug_types</c>.</param>
    internal DebugUnit(UnitSet set, UnitHeader header, int index, SectionData section)
    {
        _set = set;
        _section = section;
        Header = header;
        Index = index;
    }

    internal UnitHeader Header { get; }

    internal int Index { get; }

    internal UnitSet Set => _set;

    internal DwarfSections Sections => _set.Sections;

    /// <summary>The name of the section that it is in, for diagnostics.</summary>
    internal string SectionName => _section.Name;

    /// <summary>Of a split unit: the unit of the program that refers to it, and has its addresses and lines.</summary>
    internal DebugUnit? Skeleton { get; init; }

    /// <summary>Where the entries are: the other half of a skeleton, as far as it is found; else the unit itself.</summary>
    internal DebugUnit Full => Split ?? this;

    internal string? Name => Attributes.Name ?? Split?.Attributes.Name;

    internal string CompileDirectory => Attributes.CompileDirectory ?? Skeleton?.Attributes.CompileDirectory ?? "";

    /// <summary>DW_AT_low_pc, which range lists and high_pc offsets start from; 0 if absent.</summary>
    internal ulong BaseAddress
    {
        get
        {
            _ = Attributes;
            return Skeleton?.BaseAddress ?? _baseAddress;
        }
    }

    internal UnitAttributes Attributes => _attributes ?? ReadAttributes();

    /// <summary>The unit's line table; null if it has none.</summary>
    internal LineTable? LineTable
    {
        get
        {
            // The file numbers of a split unit are those of its skeleton's program; type units have a program without rows of their own.
            if (Skeleton is not null && !Header.IsType) return Skeleton.LineTable;
            if (_isLineTableRead) return _lineTable;
            _isLineTableRead = true;
            if (Attributes.LineOffset is { } offset)
                _lineTable = LineProgram.Read(Sections, offset, Header.AddressSizeBytes, CompileDirectory, out _);
            if (_lineTable is not null) Charge(_lineTable.Rows.Length * 32L);
            return _lineTable;
        }
    }

    /// <summary>What finds rows and files of the line table without keeping all of it; null if the unit has none.</summary>
    internal LinePoints? Lines
    {
        get
        {
            if (Skeleton is not null && !Header.IsType) return Skeleton.Lines;
            if (_areLinesRead) return _lines;
            _areLinesRead = true;
            if (Attributes.LineOffset is not { } offset) return null;
            _lines = Owner.IndexedLines(this, offset);
            _areLinesIndexed = _lines is not null;
            if (_areLinesIndexed) Note();
            else _lines = LineProgram.ReadPoints(Sections, offset, Header.AddressSizeBytes, CompileDirectory);
            if (_lines is not null && !_areLinesIndexed) Charge(_lines.SizeBytes);
            return _lines;
        }
    }

    /// <summary>The line table of a unit that is none's other half, read anew to be given back soon; null: it has none.</summary>
    internal LineTable? BorrowLineTable(ref byte[] buffer) =>
        Attributes.LineOffset is { } offset ? LineProgram.Borrow(Sections, offset, Header.AddressSizeBytes, CompileDirectory, ref buffer) : null;

    /// <summary>All functions with code, in the order of the entries.</summary>
    internal IReadOnlyList<DebugFunction> Functions => _functions ??= ReadFunctions();

    /// <summary>The whole unit, header included.</summary>
    internal ReadOnlyMemory<byte> Bytes
    {
        get
        {
            if (!_bytes.IsEmpty) return _bytes;
            _bytes = _section.Window(Header.Offset, Header.SizeBytes);
            Charge(_bytes.Length);
            return _bytes;
        }
    }

    /// <summary>What is nested in what, for qualified names.</summary>
    internal ScopeMap Scopes
    {
        get
        {
            if (_scopes is not null) return _scopes;
            _scopes = ScopeMap.Read(this);
            Charge(_scopes.Count * 32L);
            return _scopes;
        }
    }

    internal DwarfInfo Owner => _set.Budget.Owner;

    /// <summary>Reads the unit into a buffer that the caller keeps until <see cref="Release"/>.</summary>
    internal void ReadInto(ref byte[] buffer) => _bytes = _section.Window(Header.Offset, Header.SizeBytes, ref buffer);

    internal AbbreviationTable Abbreviations
    {
        get
        {
            if (_abbreviations is not null) return _abbreviations;
            Note();
            return _abbreviations = Sections.AbbreviationsOf(Header);
        }
    }

    private DebugUnit? Split
    {
        get
        {
            if (_isSplitRead) return _split;
            _isSplitRead = true;
            if (Attributes.SplitName is not null && Skeleton is null)
            {
                _split = _set.Splits?.SplitOf(this);
                if (_set.Splits is null) Sections.Diagnostics.Add(SectionName, Header.Offset, "The unit's functions are in a .dwo file, which is not read.");
            }
            return _split;
        }
    }

    /// <summary>That the unit has no other half is known without reading it.</summary>
    internal void HasNoSplit() => _isSplitRead = true;

    /// <summary>Drops what was read of single entries.</summary>
    internal void Forget()
    {
        _isNoted = false;
        _abbreviations = null;
        _attributes = null;
        _single = null;
        if (!_areLinesIndexed) return;
        _lines = null;
        _areLinesRead = _areLinesIndexed = false;
    }

    /// <summary>Drops everything that was read.</summary>
    internal void Release()
    {
        _bytes = default;
        _abbreviations = null;
        _split?.Release();
        _functions = null;
        _single = null;
        _functionMap = null;
        _scopes = null;
        _lineTable = null;
        _isLineTableRead = false;
        _lines = null;
        _areLinesRead = false;
    }

    /// <summary>
    /// At an entry, to read it and what is in it: as much of the unit is read as that takes. Fails (<see cref="DieCursor.MoveNext"/> gives false) where no entry can be.
    /// </summary>
    internal DieCursor CursorAt(ulong dieOffset)
    {
        ulong distance = dieOffset - Header.Offset;
        bool isInside = distance >= (ulong)Header.HeaderSizeBytes && distance < Header.SizeBytes && distance <= int.MaxValue;
        if (_bytes.IsEmpty && isInside) return new DieCursor(Header, Abbreviations, _section, (int)distance);
        ReadOnlySpan<byte> bytes = _bytes.Span;
        return new DieCursor(Header, Abbreviations, bytes, isInside && distance < (ulong)bytes.Length ? (int)distance : bytes.Length);
    }

    /// <summary>At the unit's own entry, to walk over all others.</summary>
    internal DieCursor FirstCursor() => CursorAt(Header.Offset + (ulong)Header.HeaderSizeBytes);

    internal DebugFunction? FunctionAt(ulong address)
    {
        if (_functionMap is null)
        {
            var entries = new List<RangeMap.Entry>();
            for (int i = 0; i < Functions.Count; i++)
                foreach (AddressRange range in Functions[i].Ranges) entries.Add(new RangeMap.Entry(range, i));
            _functionMap = new RangeMap(entries);
        }
        return _functionMap.TryFind(address, out int index) ? Functions[index] : null;
    }

    /// <summary>The function whose entry is at an offset of the section; null: there is none with code.</summary>
    /// <param name="dieOffset">Where it is.</param>
    /// <param name="isKnown">That there is one with code is known: nothing of it need be read.</param>
    internal DebugFunction? FunctionOf(ulong dieOffset, bool isKnown = false)
    {
        if (_functions is not null) return Array.Find(_functions, function => function.DieOffset == dieOffset);
        _single ??= [];
        if (_single.TryGetValue(dieOffset, out DebugFunction? known)) return known;
        DebugUnit full = Full;
        Note();
        return _single[dieOffset] = !full.Header.Contains(dieOffset) ? null : isKnown ? new DebugFunction(full, dieOffset) : FunctionParser.ReadOne(full, dieOffset);
    }

    /// <summary>An address of <c>.debug_addr</c>; 0 beyond its end.</summary>
    internal ulong IndexedAddress(ulong index)
    {
        // Those of a split unit are its skeleton's, as only they are relocated.
        if (Skeleton is not null) return Skeleton.IndexedAddress(index);
        int size = Header.AddressSizeBytes;
        ulong start = Attributes.AddressBase ?? (Header.Version >= 5 ? 8ul : 0);
        if (index < Sections.Addresses.Length && DwarfSections.TryNumber(Sections.Addresses, start + (index * (ulong)size), size, out ulong value))
            return value;
        Sections.Diagnostics.Add(".debug_addr", start, $"Address {index}, which the unit at 0x{Header.Offset:x} uses, does not exist.");
        return 0;
    }

    internal ulong AddressOf(in AttributeValue value) => value.Form == DwForm.Address ? value.Value : IndexedAddress(value.Value);

    /// <summary>The bytes of a block of this unit.</summary>
    internal ReadOnlyMemory<byte> BlockOf(in AttributeValue value) => value.IsBlock ? Piece(value) : default;

    internal string? StringOf(in AttributeValue value) => value.Form switch
    {
        DwForm.String => Encoding.UTF8.GetString(Piece(value).Span),
        DwForm.StringPointer => Sections.Strings.StringAt(value.Value),
        DwForm.LineStringPointer => Sections.LineStrings.StringAt(value.Value),
        DwForm.StringIndex or DwForm.GnuStringIndex or (>= DwForm.StringIndex1 and <= DwForm.StringIndex4) => IndexedString(value.Value),
        DwForm.StringSupplementary or DwForm.GnuStringAlternate => _set.Supplementary?.Sections.Strings.StringAt(value.Value),
        _ => null,
    };

    /// <summary>As <see cref="StringOf"/>, without making a string; empty: none.</summary>
    internal ReadOnlySpan<byte> StringBytesOf(scoped in AttributeValue value)
    {
        switch (value.Form)
        {
            case DwForm.String: return Piece(value).Span;
            case DwForm.StringPointer: return Sections.Strings.StringBytesAt(value.Value);
            case DwForm.None: return default;
            default: return Encoding.UTF8.GetBytes(StringOf(value) ?? "");
        }
    }

    /// <summary>The name of the entry that a definition belongs to, as UTF-8; empty: none.</summary>
    internal ReadOnlySpan<byte> NameOf(scoped in AttributeValue reference)
    {
        (DebugUnit? unit, ulong offset) = Resolve(reference);
        if (unit is null) return default;
        DieCursor cursor = unit.CursorAt(offset);
        return cursor.MoveNext() ? unit.StringBytesOf(cursor.Attribute(DwAt.Name)) : default;
    }

    /// <summary>The addresses of an entry with DW_AT_low_pc and DW_AT_high_pc, or DW_AT_ranges.</summary>
    internal void RangesOf(ref DieCursor cursor, List<AddressRange> ranges)
    {
        AttributeValue list = cursor.Attribute(DwAt.Ranges);
        if (list.IsPresent)
        {
            if (TryRangeListOffset(list, out ulong offset)) RangeListReader.Read(this, offset, ranges);
            return;
        }
        AttributeValue low = cursor.Attribute(DwAt.LowPc);
        AttributeValue high = cursor.Attribute(DwAt.HighPc);
        if (!low.IsAddress || !high.IsPresent) return;
        ulong start = AddressOf(low);
        AddressRange range = high.IsAddress ? new AddressRange(start, AddressOf(high)) : AddressRange.FromSize(start, high.Value);
        if (range.SizeBytes != 0) ranges.Add(range);
    }

    /// <summary>A function's names: its own entry's, else those of the entries that it refers to.</summary>
    internal FunctionNames NamesOf(ulong dieOffset)
    {
        string? name = null, linkageName = null;
        uint file = 0, line = 0;
        DebugUnit? fileUnit = null;
        bool isExternal = false;
        DebugUnit? unit = this;
        int depth = 0;
        while (unit is not null)
        {
            if (depth++ == MaximumOriginDepth)
            {
                Sections.Diagnostics.Add(SectionName, dieOffset, "The entry's chain of origins does not end: it refers to itself.");
                break;
            }
            DieCursor cursor = unit.CursorAt(dieOffset);
            if (!cursor.MoveNext()) break;
            if (fileUnit is null && cursor.Attribute(DwAt.DeclarationFile) is { IsConstant: true } value)
                (fileUnit, file) = (unit, (uint)value.Value);
            if (line == 0 && cursor.Attribute(DwAt.DeclarationLine) is { IsConstant: true } lineValue) line = (uint)lineValue.Value;
            isExternal |= cursor.Attribute(DwAt.External).Value != 0;
            name ??= unit.StringOf(cursor.Attribute(DwAt.Name));
            linkageName ??= unit.StringOf(cursor.Attribute(DwAt.LinkageName))
                ?? unit.StringOf(cursor.Attribute(DwAt.MipsLinkageName));
            AttributeValue origin = cursor.Attribute(DwAt.AbstractOrigin);
            if (!origin.IsPresent) origin = cursor.Attribute(DwAt.Specification);
            (DebugUnit? next, dieOffset) = unit.Resolve(origin);
            unit = next;
        }
        return new FunctionNames(name, linkageName, fileUnit, file, line, isExternal);
    }

    /// <summary>
    /// The entry that a reference of any form means (DWARF 5, 7.5.5.11), with its unit, which may be one of another file; (null, 0): there is none.
    /// </summary>
    internal (DebugUnit? Unit, ulong Offset) Resolve(in AttributeValue reference)
    {
        switch (reference.Form)
        {
            case DwForm.None:
                return (null, 0);
            case >= DwForm.Reference1 and <= DwForm.ReferenceUnsigned:
                return Checked(this, Header.Offset + reference.Value, reference.Value >= (ulong)Header.HeaderSizeBytes && reference.Value < Header.SizeBytes);
            case DwForm.ReferenceAddress:
                return In(_set, reference.Value);
            case DwForm.GnuReferenceAlternate or DwForm.ReferenceSupplementary4 or DwForm.ReferenceSupplementary8:
                // Without the file there is nothing wrong with the reference.
                return _set.Supplementary is { } other ? In(other, reference.Value) : (null, 0);
            case DwForm.ReferenceSignature8:
                DebugUnit? types = _set.TypeUnit(reference.Value);
                ulong at = types?.Header.TypeOffset ?? 0;
                return Checked(types, (types?.Header.Offset ?? 0) + at, types is not null && at >= (ulong)types.Header.HeaderSizeBytes && at < types.Header.SizeBytes);
            default:
                return (null, 0);
        }
    }

    // A block or string in the unit.
    private ReadOnlyMemory<byte> Piece(in AttributeValue value)
    {
        if (value.Value > Header.SizeBytes || (ulong)value.SizeBytes > Header.SizeBytes - value.Value) return default;
        if (_bytes.IsEmpty) return _section.Piece(Header.Offset + value.Value, value.SizeBytes);
        return value.Value + (ulong)value.SizeBytes <= (ulong)_bytes.Length ? _bytes.Slice((int)value.Value, value.SizeBytes) : default;
    }

    private void Note()
    {
        if (_isNoted) return;
        _isNoted = true;
        _set.Budget.Note(this);
    }

    /// <summary>Accounts for what was decoded of the whole unit.</summary>
    internal void Charge(long sizeBytes) => _set.Budget.Charge(Skeleton ?? this, sizeBytes);

    private (DebugUnit? Unit, ulong Offset) In(UnitSet set, ulong offset)
    {
        DebugUnit? unit = set.UnitContaining(offset);
        return Checked(unit, offset, unit is not null && offset - unit.Header.Offset >= (ulong)unit.Header.HeaderSizeBytes);
    }

    private (DebugUnit? Unit, ulong Offset) Checked(DebugUnit? unit, ulong offset, bool isThere)
    {
        if (isThere) return (unit, offset);
        Sections.Diagnostics.Add(SectionName, Header.Offset, "An entry refers to one that is not there, or is outside of its unit.");
        return (null, 0);
    }

    /// <summary>Where a string that is given by its number is in <c>.debug_str</c>; false: there is none.</summary>
    internal bool TryStringOffset(ulong index, out ulong offset)
    {
        offset = 0;
        ulong start = Attributes.StringOffsetsBase ?? (Header.Version < 5 ? 0ul : Header.Is64 ? 16ul : 8ul);
        int size = Header.OffsetSizeBytes;
        return index < Sections.StringOffsets.Length && DwarfSections.TryNumber(Sections.StringOffsets, start + (index * (ulong)size), size, out offset);
    }

    private string? IndexedString(ulong index) => TryStringOffset(index, out ulong offset) ? Sections.Strings.StringAt(offset) : null;

    private bool TryRangeListOffset(in AttributeValue value, out ulong offset)
    {
        offset = value.Value;
        // Before version 5 the ranges of split units stayed in the program, with an offset of their own.
        if (Header.Version < 5) offset += Skeleton?.Attributes.SplitRangesBase ?? 0;
        if (value.Form != DwForm.RangeListIndex) return true;
        // DW_AT_rnglists_base points behind the header, at the table of offsets that are relative to it.
        ulong start = Attributes.RangeListsBase ?? (Header.Is64 ? 20ul : 12ul);
        int size = Header.OffsetSizeBytes;
        bool isThere = value.Value < Sections.RangeLists.Length
            && DwarfSections.TryNumber(Sections.RangeLists, start + (value.Value * (ulong)size), size, out offset);
        if (!isThere) Sections.Diagnostics.Add(".debug_rnglists", start, $"Range list {value.Value} does not exist.");
        offset += start;
        return isThere;
    }

    private UnitAttributes ReadAttributes()
    {
        // The unit's own entry is short: the rest of a unit of megabytes is left alone, and so are the other abbreviations.
        if (!_bytes.IsEmpty) return ReadAttributes(_bytes.Span);
        byte[] start = ArrayPool<byte>.Shared.Rent(UnitEntryBytes);
        UnitAttributes attributes = ReadAttributes(start.AsSpan(0, _section.Read(Header.Offset, start.AsSpan(0, (int)Math.Min(Header.SizeBytes, UnitEntryBytes)))));
        ArrayPool<byte>.Shared.Return(start);
        return attributes;
    }

    private UnitAttributes ReadAttributes(ReadOnlySpan<byte> bytes)
    {
        var code = new DataReader(bytes, Math.Min(Header.HeaderSizeBytes, bytes.Length));
        AbbreviationTable abbreviations = _abbreviations ?? Sections.AbbreviationOf(Header, code.Uleb());
        var attributes = new UnitAttributes();
        Note();
        _attributes = attributes;
        var cursor = new DieCursor(Header, abbreviations, bytes, Header.HeaderSizeBytes);
        if (!cursor.MoveNext())
        {
            if (cursor.Problem is not null) Sections.Diagnostics.Add(SectionName, Header.Offset, cursor.Problem);
            return attributes;
        }
        // The bases come first: the other attributes may be indices.
        attributes.AddressBase = Offset(cursor.Attribute(DwAt.AddressBase)) ?? Offset(cursor.Attribute(DwAt.GnuAddressBase));
        attributes.LocationListsBase = Offset(cursor.Attribute(DwAt.LocationListsBase));
        attributes.SplitRangesBase = cursor.Attribute(DwAt.GnuRangesBase).Value;
        attributes.SplitId = Header.Version >= 5 ? Header.Signature : cursor.Attribute(DwAt.GnuDwoId).Value;
        attributes.StringOffsetsBase = Offset(cursor.Attribute(DwAt.StringOffsetsBase));
        attributes.RangeListsBase = Offset(cursor.Attribute(DwAt.RangeListsBase));
        attributes.Name = StringOf(cursor.Attribute(DwAt.Name));
        attributes.CompileDirectory = StringOf(cursor.Attribute(DwAt.CompileDirectory));
        attributes.LineOffset = Offset(cursor.Attribute(DwAt.StatementList));
        attributes.Language = (DwLanguage)Math.Min(cursor.Attribute(DwAt.Language).Value, ushort.MaxValue);
        attributes.MacroOffset = Offset(cursor.Attribute(DwAt.Macros)) ?? Offset(cursor.Attribute(DwAt.GnuMacros));
        attributes.MacroInformationOffset = Offset(cursor.Attribute(DwAt.MacroInformation));
        if (cursor.Attribute(DwAt.LowPc) is { IsAddress: true } low) _baseAddress = AddressOf(low);
        RangesOf(ref cursor, attributes.Ranges);
        AttributeValue split = cursor.Attribute(DwAt.DwoName);
        if (!split.IsPresent) split = cursor.Attribute(DwAt.GnuDwoName);
        attributes.SplitName = StringOf(split);
        return attributes;
    }

    private static ulong? Offset(in AttributeValue value) => value.IsPresent ? value.Value : null;

    private DebugFunction[] ReadFunctions()
    {
        DebugFunction[] functions = FunctionParser.ReadAll(Full);
        // Those that were read alone stay the same objects.
        for (int i = 0; i < functions.Length && _single is not null; i++)
            if (_single.TryGetValue(functions[i].DieOffset, out DebugFunction? known) && known is not null) functions[i] = known;
        Charge(functions.Length * 200L);
        return functions;
    }
}
