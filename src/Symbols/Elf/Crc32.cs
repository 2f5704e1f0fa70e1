using System;
using System.Buffers.Binary;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>The CRC-32 of zlib and Ethernet, which <c>.gnu_debuglink</c> has (GDB manual, "Separate Debug Files"). Eight bytes at a time.</summary>
internal static class Crc32
{
    private const int WindowBytes = 1 << 16;

    private static readonly uint[] s_tables = MakeTables();

    /// <summary>Of a whole file.</summary>
    internal static uint Of(ImageSource source)
    {
        uint crc = uint.MaxValue;
        for (long offset = 0; offset < source.Length;)
        {
            ReadOnlySpan<byte> window = source.Window(offset, WindowBytes).Span;
            if (window.IsEmpty) break;
            crc = Add(crc, window);
            offset += window.Length;
        }
        return ~crc;
    }

    /// <summary>Of some bytes.</summary>
    internal static uint Of(ReadOnlySpan<byte> bytes) => ~Add(uint.MaxValue, bytes);

    private static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] tables = s_tables;
        while (bytes.Length >= 8)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc, high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = tables[0x700 + (low & 0xff)] ^ tables[0x600 + ((low >> 8) & 0xff)] ^ tables[0x500 + ((low >> 16) & 0xff)] ^ tables[0x400 + (low >> 24)]
                ^ tables[0x300 + (high & 0xff)] ^ tables[0x200 + ((high >> 8) & 0xff)] ^ tables[0x100 + ((high >> 16) & 0xff)] ^ tables[high >> 24];
            bytes = bytes[8..];
        }
        foreach (byte next in bytes) crc = (crc >> 8) ^ tables[(crc ^ next) & 0xff];
        return crc;
    }

    // Table k has what a byte does to the sum k bytes later.
    private static uint[] MakeTables()
    {
        var tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
            tables[i] = crc;
        }
        for (int i = 256; i < tables.Length; i++) tables[i] = (tables[i - 256] >> 8) ^ tables[tables[i - 256] & 0xff];
        return tables;
    }
}
