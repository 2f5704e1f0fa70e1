using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Images;

namespace Symbols.Dwarf.Variables;

/// <summary>Where a variable is while the instruction is in a range of addresses.</summary>
/// <param name="Range">Addresses as the file has them.</param>
/// <param name="Expression">A DWARF expression; empty: optimized out.</param>
/// <param name="IsDefault">Wherever no other range says something (DW_LLE_default_location), or everywhere.</param>
internal readonly record struct LocationListEntry(AddressRange Range, ReadOnlyMemory<byte> Expression, bool IsDefault);

/// <summary>Location lists: <c>.debug_loc</c> (DWARF 4, 2.6.2), GNU's in <c>.debug_loc.dwo</c>, and DW_LLE_* in <c>.debug_loclists</c> (DWARF 5, 2.6.2).</summary>
internal static class LocationListReader
{
    private const int MaximumEntries = 1 << 14;
    private const ulong FirstWindowBytes = 1 << 9;
    private const ulong LastWindowBytes = 1 << 22;

    /// <summary>The expression that holds at the address, of a location attribute of any form; false: there is none.</summary>
    internal static bool TryExpression(DebugUnit unit, in AttributeValue location, ulong pc, out ReadOnlyMemory<byte> expression)
    {
        LocationListEntry? otherwise = null;
        foreach (LocationListEntry entry in Read(unit, location))
        {
            if (entry.IsDefault) otherwise ??= entry;
            if (entry.IsDefault || !entry.Range.Contains(pc)) continue;
            expression = entry.Expression;
            return true;
        }
        expression = otherwise?.Expression ?? default;
        return otherwise is not null;
    }

    /// <summary>Everything that a location attribute says; one default entry where it is one expression. Empty ranges are left out.</summary>
    internal static List<LocationListEntry> Read(DebugUnit unit, in AttributeValue location)
    {
        var entries = new List<LocationListEntry>();
        if (location.IsBlock) entries.Add(new LocationListEntry(default, unit.BlockOf(location), true));
        else if (TryOffset(unit, location, out ulong offset)) ReadList(unit, offset, entries);
        return entries;
    }

    private static bool TryOffset(DebugUnit unit, in AttributeValue location, out ulong offset)
    {
        offset = location.Value;
        if (location.Form is DwForm.SectionOffset or DwForm.Data4 or DwForm.Data8) return true;
        if (location.Form != DwForm.LocationListIndex) return false;
        // DW_AT_loclists_base points behind the header, at the table of offsets that are relative to it.
        SectionData section = unit.Sections.LocationLists;
        ulong start = unit.Attributes.LocationListsBase ?? (unit.Header.Is64 ? 20ul : 12ul);
        int size = unit.Header.OffsetSizeBytes;
        bool isThere = location.Value < section.Length && DwarfSections.TryNumber(section, start + (location.Value * (ulong)size), size, out offset);
        if (!isThere) unit.Sections.Diagnostics.Add(section.Name, start, $"Location list {location.Value} does not exist.");
        offset += start;
        return isThere;
    }

    private static void ReadList(DebugUnit unit, ulong offset, List<LocationListEntry> entries)
    {
        SectionData section = unit.Header.Version >= 5 ? unit.Sections.LocationLists : unit.Sections.Locations;
        if (offset >= section.Length)
        {
            unit.Sections.Diagnostics.Add(section.Name, offset, "A location list lies beyond the end of the section.");
            return;
        }
        _ = unit.Attributes;
        // A list does not say how long it is.
        for (ulong size = FirstWindowBytes; ; size *= 8)
        {
            entries.Clear();
            ReadOnlyMemory<byte> window = section.Piece(offset, (int)Math.Min(size, section.Length - offset));
            bool isRead = unit.Header.Version >= 5 ? ReadLists(window, unit, entries)
                : unit.Sections.IsSplit ? ReadSplit(window, unit, entries) : ReadPairs(window, unit, entries);
            if (isRead) return;
            if (size < section.Length - offset && size < LastWindowBytes && entries.Count < MaximumEntries) continue;
            unit.Sections.Diagnostics.Add(section.Name, offset, "The location list is damaged, or has no end.");
            return;
        }
    }

    private static bool ReadPairs(ReadOnlyMemory<byte> window, DebugUnit unit, List<LocationListEntry> entries)
    {
        var reader = new DataReader(window.Span);
        int size = unit.Header.AddressSizeBytes;
        ulong baseSelection = size == 8 ? ulong.MaxValue : (1ul << (size * 8)) - 1;
        ulong baseAddress = unit.BaseAddress;
        while (entries.Count < MaximumEntries)
        {
            ulong start = reader.Unsigned(size);
            ulong end = reader.Unsigned(size);
            if (reader.Failed) return false;
            if (start == 0 && end == 0) return true;
            if (start == baseSelection)
            {
                baseAddress = end;
                continue;
            }
            ReadOnlyMemory<byte> expression = Take(ref reader, window, reader.U16());
            if (reader.Failed) return false;
            Add(entries, baseAddress + start, baseAddress + end, expression);
        }
        return false;
    }

    // .debug_loc.dwo: GNU's lists of split units before DWARF 5, https://gcc.gnu.org/wiki/DebugFission.
    private static bool ReadSplit(ReadOnlyMemory<byte> window, DebugUnit unit, List<LocationListEntry> entries)
    {
        var reader = new DataReader(window.Span);
        ulong baseAddress = unit.BaseAddress;
        while (entries.Count < MaximumEntries)
        {
            byte kind = reader.U8();
            if (reader.Failed || kind > 4) return false;
            if (kind == 0) return true; // DW_LLE_GNU_end_of_list_entry
            if (kind == 1) // DW_LLE_GNU_base_address_selection_entry
            {
                baseAddress = unit.IndexedAddress(reader.Uleb());
                continue;
            }
            // DW_LLE_GNU_start_end_entry, DW_LLE_GNU_start_length_entry, DW_LLE_GNU_offset_pair_entry
            ulong start = kind == 4 ? baseAddress + reader.U32() : unit.IndexedAddress(reader.Uleb());
            ulong end = kind == 2 ? unit.IndexedAddress(reader.Uleb()) : (kind == 3 ? start : baseAddress) + reader.U32();
            ReadOnlyMemory<byte> expression = Take(ref reader, window, reader.U16());
            if (reader.Failed) return false;
            Add(entries, start, end, expression);
        }
        return false;
    }

    private static bool ReadLists(ReadOnlyMemory<byte> window, DebugUnit unit, List<LocationListEntry> entries)
    {
        var reader = new DataReader(window.Span);
        int size = unit.Header.AddressSizeBytes;
        ulong baseAddress = unit.BaseAddress;
        while (entries.Count < MaximumEntries)
        {
            byte kind = reader.U8();
            if (reader.Failed || kind > 9) return false;
            if (kind == 0) return true; // DW_LLE_end_of_list
            if (kind is 1 or 6) // DW_LLE_base_addressx, DW_LLE_base_address
            {
                baseAddress = kind == 6 ? reader.Unsigned(size) : unit.IndexedAddress(reader.Uleb());
                continue;
            }
            if (kind == 9) // DW_LLE_GNU_view_pair: which of several views of one address
            {
                reader.Uleb();
                reader.Uleb();
                continue;
            }
            ulong first = 0, second = 0;
            if (kind != 5) // DW_LLE_default_location
            {
                first = kind is 7 or 8 ? reader.Unsigned(size) : reader.Uleb();
                second = kind == 7 ? reader.Unsigned(size) : reader.Uleb();
            }
            ReadOnlyMemory<byte> expression = Take(ref reader, window, reader.Uleb());
            if (reader.Failed) return false;
            (ulong start, ulong end) = kind switch
            {
                2 => (unit.IndexedAddress(first), unit.IndexedAddress(second)), // DW_LLE_startx_endx
                3 => (unit.IndexedAddress(first), unit.IndexedAddress(first) + second), // DW_LLE_startx_length
                4 => (baseAddress + first, baseAddress + second), // DW_LLE_offset_pair
                7 => (first, second), // DW_LLE_start_end
                _ => (first, first + second), // DW_LLE_start_length
            };
            if (kind == 5) entries.Add(new LocationListEntry(default, expression, true));
            else Add(entries, start, end, expression);
        }
        return false;
    }

    private static ReadOnlyMemory<byte> Take(ref DataReader reader, ReadOnlyMemory<byte> window, ulong size)
    {
        int start = reader.Position;
        reader.Skip(size);
        return reader.Failed ? default : window[start..reader.Position];
    }

    private static void Add(List<LocationListEntry> entries, ulong start, ulong end, ReadOnlyMemory<byte> expression)
    {
        if (start < end) entries.Add(new LocationListEntry(new AddressRange(start, end), expression, false));
    }
}
