using System;
using System.Collections.Generic;

namespace Symbols.Tests;

/// <summary>Sizes, counts, offsets and indexes near 2^32 and 2^64, in every way in which files write numbers.</summary>
internal static class HugeNumbers
{
    private const int HeaderBytes = 40;

    private static readonly byte[][] s_numbers =
    [
        // Of four and eight bytes: the largest, the reserved lengths of DWARF (5, 7.2.2), the largest signed, the smallest, the first that four bytes have not.
        Number(4, 0xFFFF_FFFF), Number(4, 0xFFFF_FFFE), Number(4, 0xFFFF_FFF0), Number(4, 0xFFFF_FFEF), Number(4, 0x7FFF_FFFF), Number(4, 0x8000_0000), Number(4, 0x4000_0000),
        Number(8, ulong.MaxValue), Number(8, ulong.MaxValue - 7), Number(8, 0xFFFF_FFFF_FFFF_F000), Number(8, long.MaxValue), Number(8, 1UL << 63),
        Number(8, 1UL << 32), Number(8, 1UL << 40),
        // A length of eight bytes behind its escape.
        [.. Number(4, 0xFFFF_FFFF), .. Number(8, ulong.MaxValue)], [.. Number(4, 0xFFFF_FFFF), .. Number(8, 1UL << 32)],
        // LEB128: 2^64 - 1, 2^63, 2^32, 2^32 - 1, more than any number has, and signed ones.
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x80, 0x80, 0x80, 0x80, 0x10],
        [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0x80, 0x80, 0x80, 0x78],
        // The first byte first, as in the header of .zdebug sections.
        [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00], [0x00, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF],
    ];

    /// <summary>The same bytes with one huge number in a part of them: at each place of its header, and at others.</summary>
    /// <param name="good">Not changed.</param>
    /// <param name="start">Of the part.</param>
    /// <param name="size">Of the part.</param>
    /// <param name="others">How many at other places.</param>
    public static IEnumerable<(byte[] Bytes, string What)> In(byte[] good, int start, int size, int others)
    {
        var random = new Random(size);
        for (int i = 0; i < Math.Min(size, HeaderBytes); i++)
            for (int n = 0; n < 3; n++) yield return With(good, start, i, s_numbers[random.Next(s_numbers.Length)]);
        for (int i = 0; i < others; i++) yield return With(good, start, random.Next(size), s_numbers[random.Next(s_numbers.Length)]);
    }

    private static (byte[] Bytes, string What) With(byte[] good, int start, int offset, byte[] number)
    {
        byte[] bytes = [.. good];
        int count = Math.Min(number.Length, bytes.Length - start - offset);
        number.AsSpan(0, count).CopyTo(bytes.AsSpan(start + offset));
        return (bytes, $"{Convert.ToHexString(number)} at {offset}");
    }

    private static byte[] Number(int sizeBytes, ulong value) => BitConverter.GetBytes(value)[..sizeBytes];
}
