using System;
using System.Buffers.Binary;

namespace Replay.Log;

/// <summary>CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320), as zip uses it (APPNOTE.TXT 4.4.7), eight bytes at a time.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = MakeTable();

    /// <summary>Goes on from <paramref name="crc"/>, which is 0 at first.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> t = Table;
        crc = ~crc;
        while (data.Length >= 8)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(data) ^ crc;
            crc = t[7 * 256 + (int)(word & 0xFF)] ^ t[6 * 256 + (int)((word >> 8) & 0xFF)]
                ^ t[5 * 256 + (int)((word >> 16) & 0xFF)] ^ t[4 * 256 + (int)((word >> 24) & 0xFF)]
                ^ t[3 * 256 + (int)((word >> 32) & 0xFF)] ^ t[2 * 256 + (int)((word >> 40) & 0xFF)]
                ^ t[256 + (int)((word >> 48) & 0xFF)] ^ t[(int)(word >> 56)];
            data = data[8..];
        }
        foreach (byte b in data) crc = t[(int)((crc ^ b) & 0xFF)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] MakeTable()
    {
        // Table k advances a byte by k more zero bytes ("slicing by 8").
        var table = new uint[8 * 256];
        for (uint n = 0; n < 256; n++)
        {
            uint c = n;
            for (int bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[n] = c;
        }
        for (int k = 1; k < 8; k++)
            for (int n = 0; n < 256; n++)
                table[k * 256 + n] = table[(int)(table[(k - 1) * 256 + n] & 0xFF)] ^ (table[(k - 1) * 256 + n] >> 8);
        return table;
    }
}
