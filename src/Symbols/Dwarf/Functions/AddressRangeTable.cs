using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Functions;

/// <summary><c>.debug_aranges</c>: which addresses belong to which unit (DWARF 5, 6.1.2).</summary>
internal static class AddressRangeTable
{
    /// <summary>Every range with the offset of its unit in <c>.debug_info</c>.</summary>
    internal static List<(ulong UnitOffset, AddressRange Range)> Read(SectionData section, DiagnosticLog diagnostics)
    {
        var found = new List<(ulong, AddressRange)>();
        ReadOnlySpan<byte> bytes = section.All().Span;
        int start = 0;
        while (start < bytes.Length)
        {
            var reader = new DataReader(bytes, start);
            ulong length = reader.InitialLength(out bool is64);
            if (reader.Failed || length > (ulong)reader.Remaining)
            {
                diagnostics.Add(section.Name, (ulong)start, "The table of addresses is cut off.");
                return found;
            }
            int end = reader.Position + (int)length;
            var table = new DataReader(bytes[..end], reader.Position);
            if (!ReadSet(ref table, start, is64, found))
                diagnostics.Add(section.Name, (ulong)start, "The table of addresses is damaged or of an unknown version: it is skipped.");
            start = end;
        }
        return found;
    }

    private static bool ReadSet(ref DataReader reader, int start, bool is64, List<(ulong UnitOffset, AddressRange Range)> found)
    {
        ushort version = reader.U16();
        ulong unit = reader.Offset(is64);
        int addressSize = reader.U8();
        int segmentSize = reader.U8();
        if (reader.Failed || version != 2 || segmentSize != 0 || addressSize is not (4 or 8)) return false;
        // Tuples are aligned to their own size, from the start of the set.
        int tuple = addressSize * 2;
        reader.Skip((ulong)((tuple - ((reader.Position - start) % tuple)) % tuple));
        while (reader.Remaining >= tuple)
        {
            ulong address = reader.Unsigned(addressSize);
            ulong size = reader.Unsigned(addressSize);
            if (address == 0 && size == 0) break;
            if (size != 0) found.Add((unit, AddressRange.FromSize(address, size)));
        }
        return !reader.Failed;
    }
}
