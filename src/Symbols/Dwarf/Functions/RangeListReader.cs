using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Images;

namespace Symbols.Dwarf.Functions;

/// <summary>
/// Range lists: pairs in <c>.debug_ranges</c> (DWARF 4, 2.17.3) and DW_RLE_* in <c>.debug_rnglists</c> (DWARF 5, 2.17.3).
/// </summary>
internal static class RangeListReader
{
    // Compilers write a few dozen entries for a unit of thousands of functions.
    private const int MaximumEntries = 1 << 16;
    private const ulong FirstWindowBytes = 1 << 7;

    /// <summary>Adds the list at the offset to <paramref name="ranges"/>, empty ranges left out.</summary>
    internal static void Read(DebugUnit unit, ulong offset, List<AddressRange> ranges)
    {
        SectionData section = unit.Header.Version >= 5 ? unit.Sections.RangeLists : (unit.Skeleton ?? unit).Sections.Ranges;
        if (offset >= section.Length)
        {
            unit.Sections.Diagnostics.Add(section.Name, offset, "A range list lies beyond the end of the section.");
            return;
        }
        int before = ranges.Count;
        // A list does not say how long it is.
        for (ulong size = FirstWindowBytes; ; size *= 8)
        {
            ranges.RemoveRange(before, ranges.Count - before);
            var reader = new DataReader(section.Part(offset, size));
            bool isComplete = unit.Header.Version >= 5 ? ReadLists(ref reader, unit, ranges) : ReadPairs(ref reader, unit, ranges);
            if (isComplete) return;
            if (size < section.Length - offset && size < 1 << 24 && ranges.Count - before < MaximumEntries) continue;
            unit.Sections.Diagnostics.Add(section.Name, offset, "The range list is damaged, or has no end.");
            return;
        }
    }

    private static bool ReadPairs(ref DataReader reader, DebugUnit unit, List<AddressRange> ranges)
    {
        int size = unit.Header.AddressSizeBytes;
        ulong baseSelection = size == 8 ? ulong.MaxValue : (1ul << (size * 8)) - 1;
        ulong baseAddress = unit.BaseAddress;
        for (int i = 0; i < MaximumEntries; i++)
        {
            ulong start = reader.Unsigned(size);
            ulong end = reader.Unsigned(size);
            if (reader.Failed) return false;
            if (start == 0 && end == 0) return true;
            if (start == baseSelection) baseAddress = end;
            else Add(ranges, baseAddress + start, baseAddress + end);
        }
        return false;
    }

    private static bool ReadLists(ref DataReader reader, DebugUnit unit, List<AddressRange> ranges)
    {
        int size = unit.Header.AddressSizeBytes;
        ulong baseAddress = unit.BaseAddress;
        for (int i = 0; i < MaximumEntries; i++)
        {
            byte kind = reader.U8();
            if (reader.Failed || kind > 7) return false;
            if (kind == 0) return true; // DW_RLE_end_of_list
            if (kind is 1 or 5) // DW_RLE_base_addressx, DW_RLE_base_address
            {
                baseAddress = kind == 5 ? reader.Unsigned(size) : unit.IndexedAddress(reader.Uleb());
                continue;
            }
            ulong first = kind is 6 or 7 ? reader.Unsigned(size) : reader.Uleb();
            ulong second = kind == 6 ? reader.Unsigned(size) : reader.Uleb();
            if (reader.Failed) return false;
            (ulong start, ulong end) = kind switch
            {
                2 => (unit.IndexedAddress(first), unit.IndexedAddress(second)), // DW_RLE_startx_endx
                3 => (unit.IndexedAddress(first), unit.IndexedAddress(first) + second), // DW_RLE_startx_length
                4 => (baseAddress + first, baseAddress + second), // DW_RLE_offset_pair
                6 => (first, second), // DW_RLE_start_end
                _ => (first, first + second), // DW_RLE_start_length
            };
            Add(ranges, start, end);
        }
        return false;
    }

    private static void Add(List<AddressRange> ranges, ulong start, ulong end)
    {
        if (start < end) ranges.Add(new AddressRange(start, end));
    }
}
