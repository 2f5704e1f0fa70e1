using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sse.Tests;

/// <summary>Operands that find mistakes: boundary values of every element type, and random ones near each other.</summary>
public sealed class OperandSource(int seed)
{
    private static readonly uint[] Singles =
    [
        0, 1, 2, 0x007F_FFFF, 0x007F_FFFE, 0x0040_0000, 0x0080_0000, 0x0080_0001, 0x00FF_FFFF, 0x0100_0000, 0x3F00_0000, 0x3EFF_FFFF,
        0x3F80_0000, 0x3F80_0001, 0x3F7F_FFFF, 0x3FC0_0000, 0x4000_0000, 0x4020_0000, 0x4B00_0000, 0x4B00_0001, 0x4AFF_FFFF, 0x4EFF_FFFF,
        0x4F00_0000, 0x4F00_0001, 0x5EFF_FFFF, 0x5F00_0000, 0x5F00_0001, 0x7F7F_FFFF, 0x7F7F_FFFE, 0x7F00_0000, 0x7F80_0000, 0x7F80_0001,
        0x7FBF_FFFF, 0x7FC0_0000, 0x7FC1_2345, 0x7FFF_FFFF, 0x3300_0000, 0x3380_0000, 0x1F80_0000, 0x2000_0000, 0x5F80_0000,
    ];

    private static readonly ulong[] Doubles =
    [
        0, 1, 2, 0x000F_FFFF_FFFF_FFFF, 0x000F_FFFF_FFFF_FFFE, 0x0008_0000_0000_0000, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001,
        0x001F_FFFF_FFFF_FFFF, 0x3FE0_0000_0000_0000, 0x3FDF_FFFF_FFFF_FFFF, 0x3FF0_0000_0000_0000, 0x3FF0_0000_0000_0001,
        0x3FEF_FFFF_FFFF_FFFF, 0x3FF8_0000_0000_0000, 0x4004_0000_0000_0000, 0x4330_0000_0000_0000, 0x432F_FFFF_FFFF_FFFF,
        0x41DF_FFFF_FFC0_0000, 0x41DF_FFFF_FFE0_0000, 0x41DF_FFFF_FFDF_FFFF, 0x41E0_0000_0000_0000, 0x41E0_0000_0010_0000,
        0x41E0_0000_0020_0000, 0x43DF_FFFF_FFFF_FFFF, 0x43E0_0000_0000_0000, 0x43E0_0000_0000_0001, 0x47EF_FFFF_E000_0000,
        0x47EF_FFFF_F000_0000, 0x47EF_FFFF_EFFF_FFFF, 0x3810_0000_0000_0000, 0x380F_FFFF_FFFF_FFFF, 0x380F_FFFF_F000_0000,
        0x380F_FFFF_E000_0000, 0x36A0_0000_0000_0000, 0x3690_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF, 0x7FE0_0000_0000_0000,
        0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0001, 0x7FF7_FFFF_FFFF_FFFF, 0x7FF8_0000_0000_0000, 0x7FF8_1234_5678_9ABC,
        0x3CA0_0000_0000_0000, 0x1FF0_0000_0000_0000, 0x5FF0_0000_0000_0000,
    ];

    private readonly Random _random = new(seed);

    public int Next(int limit) => _random.Next(limit);

    public byte Byte() => (byte)_random.Next(256);

    /// <summary>Rounding, DAZ and FTZ at random; exceptions all masked most of the time; flags sometimes set already.</summary>
    public uint Mxcsr()
    {
        // What a program has that has computed before: masked, to nearest, PE set; the fast ways are for it.
        if (_random.Next(3) == 0) return 0x1FA0;
        uint mxcsr = (uint)_random.Next(4) << 13 | 0x1F80;
        if (_random.Next(3) == 0) mxcsr |= 1 << 6;
        if (_random.Next(3) == 0) mxcsr |= 1 << 15;
        if (_random.Next(4) == 0) mxcsr &= ~((uint)_random.Next(64) << 7);
        if (_random.Next(3) == 0) mxcsr |= (uint)_random.Next(64);
        return mxcsr;
    }

    public ulong General() => _random.Next(4) switch
    {
        0 => (ulong)_random.Next(-20, 20),
        1 => 1UL << _random.Next(64),
        2 => (1UL << _random.Next(64)) - 1,
        _ => Bits(),
    };

    public Vector128<byte> Vector()
    {
        Vector128<byte> vector = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref vector, 1));
        switch (_random.Next(5))
        {
            case 0 or 1:
                foreach (ref uint single in MemoryMarshal.Cast<byte, uint>(bytes)) single = Single();
                break;
            case 2 or 3:
                foreach (ref ulong value in MemoryMarshal.Cast<byte, ulong>(bytes)) value = Double();
                break;
            default:
                Elements(bytes);
                break;
        }

        return vector;
    }

    /// <summary>Few distinct bytes, so that strings match and end.</summary>
    public Vector128<byte> Text()
    {
        Vector128<byte> vector = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref vector, 1));
        int zeros = _random.Next(12);
        foreach (ref byte character in bytes)
            character = _random.Next(12) < zeros - 6 ? (byte)0 : (byte)(_random.Next(4) * 0x3F + _random.Next(2));
        return vector;
    }

    private ulong Bits() => (ulong)_random.NextInt64(long.MinValue, long.MaxValue);

    private void Elements(Span<byte> bytes)
    {
        foreach (ref byte element in bytes)
        {
            element = _random.Next(4) switch { 0 => 0, 1 => 0x80, 2 => 0x7F, _ => Byte() };
            if (_random.Next(8) == 0) element = 0xFF;
        }
    }

    private uint Single()
    {
        uint sign = (uint)_random.Next(2) << 31;
        return _random.Next(5) switch
        {
            0 or 1 => sign | Singles[_random.Next(Singles.Length)],
            2 => sign | ((uint)(127 + _random.Next(-30, 66)) << 23) | (uint)_random.Next(1 << 23),
            3 => BitConverter.SingleToUInt32Bits(_random.Next(-1000, 1000) / 4f),
            _ => (uint)Bits(),
        };
    }

    private ulong Double()
    {
        ulong sign = (ulong)_random.Next(2) << 63;
        return _random.Next(5) switch
        {
            0 or 1 => sign | Doubles[_random.Next(Doubles.Length)],
            2 => sign | ((ulong)(1023 + _random.Next(-160, 150)) << 52) | (Bits() >> 12),
            3 => BitConverter.DoubleToUInt64Bits(_random.Next(-1000, 1000) / 4d),
            _ => Bits(),
        };
    }
}
