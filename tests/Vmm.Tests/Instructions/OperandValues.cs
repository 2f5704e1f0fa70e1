using System;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Instructions;

/// <summary>Values at which integer instructions change their mind.</summary>
internal static class OperandValues
{
    private static ReadOnlySpan<byte> ShiftCounts =>
        [0, 1, 2, 3, 4, 7, 8, 9, 10, 15, 16, 17, 18, 23, 24, 25, 26, 27, 30, 31, 32, 33, 34, 36, 47, 48, 62, 63, 64, 65, 0x7F, 0x80, 0xFF];

    public static int ShiftCountCount => ShiftCounts.Length;

    public static byte ShiftCount(int index) => ShiftCounts[index % ShiftCounts.Length];

    public static ulong Mask(int sizeBytes) => sizeBytes >= 8 ? ulong.MaxValue : (1UL << (8 * sizeBytes)) - 1;

    /// <summary>Usually a boundary value of that size, sometimes anything.</summary>
    public static ulong Any(SeededRandom random, int sizeBytes)
    {
        ulong mask = Mask(sizeBytes);
        ulong sign = (mask >> 1) + 1;
        ulong value = random.Below(20) switch
        {
            0 or 1 => 0,
            2 => 1,
            3 => 2,
            4 or 5 => mask,
            6 => mask - 1,
            7 or 8 => sign,
            9 => sign + 1,
            10 => sign - 1,
            11 => 0x7F,
            12 => 0x80,
            13 => 0x0F + (ulong)random.Below(3),
            14 => 0x5555_5555_5555_5555UL << random.Below(2),
            15 => 1UL << random.Below(8 * sizeBytes),
            16 => ulong.MaxValue << random.Below(8 * sizeBytes),
            17 => (ulong)random.Below(256),
            _ => random.Next(),
        };
        return value & mask;
    }
}
