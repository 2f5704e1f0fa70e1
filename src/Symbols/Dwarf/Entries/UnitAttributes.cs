using System.Collections.Generic;

namespace Symbols.Dwarf.Entries;

/// <summary>What the unit's own entry says (DWARF 5, 3.1.1).</summary>
internal sealed class UnitAttributes
{
    internal string? Name { get; set; }

    internal string? CompileDirectory { get; set; }

    internal ulong? LineOffset { get; set; }

    internal DwLanguage Language { get; set; }

    /// <summary>Where its macros are in <c>.debug_macro</c>.</summary>
    internal ulong? MacroOffset { get; set; }

    /// <summary>Where its macros are in <c>.debug_macinfo</c>, before DWARF 5.</summary>
    internal ulong? MacroInformationOffset { get; set; }

    internal ulong? AddressBase { get; set; }

    internal ulong? StringOffsetsBase { get; set; }

    internal ulong? RangeListsBase { get; set; }

    internal ulong? LocationListsBase { get; set; }

    /// <summary>Where the ranges of the split unit start in <c>.debug_ranges</c> (DW_AT_GNU_ranges_base, of a skeleton).</summary>
    internal ulong SplitRangesBase { get; set; }

    /// <summary>The file with the other half of a skeleton (DW_AT_dwo_name); null: this is no skeleton.</summary>
    internal string? SplitName { get; set; }

    /// <summary>What a skeleton and its other half have in common.</summary>
    internal ulong SplitId { get; set; }

    internal List<AddressRange> Ranges { get; } = [];
}
