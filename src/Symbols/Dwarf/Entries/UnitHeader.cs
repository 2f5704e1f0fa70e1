namespace Symbols.Dwarf.Entries;

/// <summary>The header of one unit in <c>.debug_info</c> or <c>.debug_types</c> (DWARF 5, 7.5.1).</summary>
/// <param name="Offset">Where the unit starts in its section.</param>
/// <param name="SizeBytes">From there to the next unit, bounded by the section.</param>
/// <param name="Version">2 to 5.</param>
/// <param name="Type">What it is; versions before 5 have compile units only.</param>
/// <param name="AddressSizeBytes">4 or 8 on x86; any of 1, 2, 4, 8 is read.</param>
/// <param name="Is64">The 64-bit DWARF format, which has nothing to do with the machine.</param>
/// <param name="AbbreviationOffset">Its abbreviations in <c>.debug_abbrev</c>.</param>
/// <param name="HeaderSizeBytes">The first DIE follows so many bytes after <paramref name="Offset"/>.</param>
internal sealed record UnitHeader(
    ulong Offset, ulong SizeBytes, ushort Version, DwUnitType Type, byte AddressSizeBytes, bool Is64, ulong AbbreviationOffset,
    int HeaderSizeBytes)
{
    /// <summary>Of a type unit: its signature. Of a skeleton or split unit of version 5: what the two have in common (<c>dwo_id</c>). Else 0.</summary>
    internal ulong Signature { get; init; }

    /// <summary>Of a type unit: where its type's entry is, from the unit's start.</summary>
    internal ulong TypeOffset { get; init; }

    internal bool IsType => Type is DwUnitType.Type or DwUnitType.SplitType;

    internal int OffsetSizeBytes => Is64 ? 8 : 4;

    internal bool Contains(ulong offset) => offset >= Offset && offset - Offset < SizeBytes;
}
