using System;
using Symbols.Elf;
using Symbols.Images;

namespace Symbols.Dwarf;

/// <summary>The debug sections of one file, each opened when first used.</summary>
internal sealed class DwarfSections(ElfImage image)
{
    private SectionData? _locations, _locationLists, _macros, _macroInformation;
    private SectionData? _info, _abbreviations, _line, _lineStrings, _strings, _stringOffsets, _addresses, _ranges, _rangeLists, _addressRanges;

    internal ElfImage Image => image;

    internal DiagnosticLog Diagnostics => image.Diagnostics;

    internal SectionData Info => _info ??= image.Data(".debug_info");

    internal SectionData Abbreviations => _abbreviations ??= image.Data(".debug_abbrev");

    internal SectionData Line => _line ??= image.Data(".debug_line");

    internal SectionData LineStrings => _lineStrings ??= image.Data(".debug_line_str");

    internal SectionData Strings => _strings ??= image.Data(".debug_str");

    internal SectionData StringOffsets => _stringOffsets ??= image.Data(".debug_str_offsets");

    internal SectionData Addresses => _addresses ??= image.Data(".debug_addr");

    internal SectionData Ranges => _ranges ??= image.Data(".debug_ranges");

    internal SectionData RangeLists => _rangeLists ??= image.Data(".debug_rnglists");

    internal SectionData Locations => _locations ??= image.Data(".debug_loc");

    internal SectionData LocationLists => _locationLists ??= image.Data(".debug_loclists");

    internal SectionData Macros => _macros ??= image.Data(".debug_macro");

    internal SectionData MacroInformation => _macroInformation ??= image.Data(".debug_macinfo");

    internal SectionData AddressRanges => _addressRanges ??= image.Data(".debug_aranges");

    /// <summary>An unsigned number somewhere in a section; false beyond its end.</summary>
    internal static bool TryNumber(SectionData section, ulong offset, int sizeBytes, out ulong value)
    {
        ReadOnlySpan<byte> bytes = section.Bytes(offset, sizeBytes);
        var reader = new DataReader(bytes);
        value = reader.Unsigned(sizeBytes);
        return !reader.Failed;
    }
}
