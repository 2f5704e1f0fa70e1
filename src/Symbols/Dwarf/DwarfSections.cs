using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Elf;
using Symbols.Images;

namespace Symbols.Dwarf;

/// <summary>
/// The debug sections of one file, each opened when first used; or one unit's parts of the sections of a package of split units.
/// </summary>
/// <param name="image">The file.</param>
/// <param name="diagnostics">Where to tell what is wrong with it.</param>
/// <param name="isSplit">Its sections are called <c>.debug_*.dwo</c> (DWARF 5, 7.3.2.2).</param>
/// <param name="parts">What of each section is the unit's, by the section's name without <c>.dwo</c>; null: all.</param>
internal sealed class DwarfSections(
    ElfImage image, DiagnosticLog diagnostics, bool isSplit = false, IReadOnlyDictionary<string, AddressRange>? parts = null)
{
    private const int CachedStringBytes = 1 << 24;
    private const int MaximumAbbreviationTables = 4, MaximumLineStrings = 1 << 15, MaximumKeptLength = 256;

    private readonly Dictionary<(ulong, int, ushort, bool), AbbreviationTable> _tables = [];
    private readonly Queue<(ulong, int, ushort, bool)> _tablesInOrder = [];
    private readonly AbbreviationTable.Scratch _scratch = new();
    private readonly Dictionary<ulong, string> _lineStringsByOffset = [];
    private SectionData? _info, _types, _abbreviations, _line, _lineStrings, _strings, _stringOffsets, _addresses, _ranges, _rangeLists, _addressRanges;
    private SectionData? _locations, _locationLists, _macros, _macroInformation;

    internal DwarfSections(ElfImage image) : this(image, image.Diagnostics) { }

    internal ElfImage Image => image;

    internal DiagnosticLog Diagnostics => diagnostics;

    internal bool IsSplit => isSplit;

    internal SectionData Info => _info ??= Open(".debug_info");

    /// <summary>Where DWARF 4 has its type units.</summary>
    internal SectionData Types => _types ??= Open(".debug_types");

    internal SectionData Abbreviations => _abbreviations ??= Open(".debug_abbrev");

    internal SectionData Line => _line ??= Open(".debug_line");

    internal SectionData LineStrings => _lineStrings ??= Open(".debug_line_str");

    /// <summary>A string of <see cref="LineStrings"/>: every line program names the same directories and headers. Null: it is beyond the end.</summary>
    internal string? LineString(ulong offset)
    {
        if (_lineStringsByOffset.TryGetValue(offset, out string? known)) return known;
        string? text = LineStrings.StringAt(offset);
        if (text is not { Length: <= MaximumKeptLength }) return text;
        if (_lineStringsByOffset.Count >= MaximumLineStrings) _lineStringsByOffset.Clear();
        return _lineStringsByOffset[offset] = text;
    }

    // Who makes an index reads them from one end to the other and back.
    internal SectionData Strings => _strings ??= Open(".debug_str").WithCache(CachedStringBytes);

    internal SectionData StringOffsets => _stringOffsets ??= Open(".debug_str_offsets");

    internal SectionData Addresses => _addresses ??= Open(".debug_addr");

    internal SectionData Macros => _macros ??= Open(".debug_macro");

    internal SectionData MacroInformation => _macroInformation ??= Open(".debug_macinfo");

    internal SectionData Ranges => _ranges ??= Open(".debug_ranges");

    internal SectionData RangeLists => _rangeLists ??= Open(".debug_rnglists");

    /// <summary>Location lists of DWARF 2 to 4.</summary>
    internal SectionData Locations => _locations ??= Open(".debug_loc");

    /// <summary>Location lists of DWARF 5.</summary>
    internal SectionData LocationLists => _locationLists ??= Open(".debug_loclists");

    internal SectionData AddressRanges => _addressRanges ??= Open(".debug_aranges");

    /// <summary>Takes the memory that look-ups will need.</summary>
    internal void Prepare()
    {
        SectionData[] all = [Info, Abbreviations, Line, LineStrings, Strings, StringOffsets, Addresses, Ranges, RangeLists];
        foreach (SectionData section in all) section.Prepare();
    }

    /// <summary>The table at the offset, as a unit with such a header reads it.</summary>
    internal AbbreviationTable AbbreviationsOf(UnitHeader unit)
    {
        (ulong, int, ushort, bool) key = (unit.AbbreviationOffset, unit.AddressSizeBytes, unit.Version, unit.Is64);
        if (_tables.TryGetValue(key, out AbbreviationTable? table)) return table;
        if (_tables.Count >= MaximumAbbreviationTables) _tables.Remove(_tablesInOrder.Dequeue());
        _tablesInOrder.Enqueue(key);
        return _tables[key] = AbbreviationTable.Read(Abbreviations, unit, diagnostics, _scratch);
    }

    /// <summary>That of one code alone.</summary>
    internal AbbreviationTable AbbreviationOf(UnitHeader unit, ulong code) => AbbreviationTable.Read(Abbreviations, unit, diagnostics, _scratch, code);

    /// <summary>An unsigned number somewhere in a section; false beyond its end.</summary>
    internal static bool TryNumber(SectionData section, ulong offset, int sizeBytes, out ulong value)
    {
        ReadOnlySpan<byte> bytes = section.Peek(offset, sizeBytes);
        var reader = new DataReader(bytes);
        value = reader.Unsigned(sizeBytes);
        return !reader.Failed;
    }

    private SectionData Open(string name)
    {
        SectionData data = !isSplit ? image.Data(name)
            : name is ".debug_info" or ".debug_types" ? image.DataOfAll(name + ".dwo") : image.Data(name + ".dwo");
        // The strings are the package's: its index has no column for them.
        if (parts is null || name == ".debug_str") return data;
        return parts.TryGetValue(name, out AddressRange part) ? data.Slice(part.Start, part.SizeBytes) : data.Slice(0, 0);
    }
}
