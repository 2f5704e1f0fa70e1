using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>Lists a section's units by their headers alone: the units themselves are read when they are looked at.</summary>
internal static class UnitHeaderParser
{
    // unit_length, version, unit_type, address_size, debug_abbrev_offset, type signature, type offset, all in the 64-bit format.
    private const int MaximumHeaderBytes = 40;

    internal static List<UnitHeader> ReadAll(SectionData section, DiagnosticLog diagnostics, bool areTypes = false)
    {
        var units = new List<UnitHeader>();
        ulong offset = 0;
        Span<byte> bytes = stackalloc byte[MaximumHeaderBytes];
        while (offset < section.Length)
        {
            var reader = new DataReader(bytes[..section.Read(offset, bytes)]);
            ulong length = reader.InitialLength(out bool is64);
            ulong available = section.Length - offset - (ulong)reader.Position;
            if (reader.Failed)
            {
                diagnostics.Add(section.Name, offset, "The unit's length is cut off or reserved: the rest of the section is not read.");
                break;
            }
            if (length > available)
                diagnostics.Add(section.Name, offset, $"The unit should have {length} bytes, but the section ends after {available}.");
            ulong size = (ulong)reader.Position + Math.Min(length, available);
            if (Read(ref reader, offset, size, is64, areTypes, section.Name, diagnostics) is { } unit) units.Add(unit);
            offset += size;
        }
        return units;
    }

    private static UnitHeader? Read(
        ref DataReader reader, ulong offset, ulong size, bool is64, bool isType, string section, DiagnosticLog diagnostics)
    {
        ushort version = reader.U16();
        DwUnitType type = isType ? DwUnitType.Type : DwUnitType.Compile;
        ulong signature = 0, typeOffset = 0;
        byte addressSize;
        ulong abbreviations;
        if (version is < 2 or > 5)
        {
            diagnostics.Add(section, offset, $"The unit has DWARF version {version}, which is not between 2 and 5: it is skipped.");
            return null;
        }
        if (version == 5)
        {
            type = (DwUnitType)reader.U8();
            addressSize = reader.U8();
            abbreviations = reader.Offset(is64);
        }
        else
        {
            abbreviations = reader.Offset(is64);
            addressSize = reader.U8();
        }
        if (type is >= DwUnitType.Skeleton and <= DwUnitType.SplitType or DwUnitType.Type) signature = reader.U64();
        if (type is DwUnitType.Type or DwUnitType.SplitType) typeOffset = reader.Offset(is64);
        bool isUsable = !reader.Failed && (ulong)reader.Position <= size && addressSize is (1 or 2 or 4 or 8)
            && type is >= DwUnitType.Compile and <= DwUnitType.SplitType;
        if (isUsable)
        {
            return new UnitHeader(offset, size, version, type, addressSize, is64, abbreviations, reader.Position)
            {
                Signature = signature, TypeOffset = typeOffset,
            };
        }
        diagnostics.Add(section, offset, "The unit's header is cut off, or has an unknown type or address size: the unit is skipped.");
        return null;
    }
}
