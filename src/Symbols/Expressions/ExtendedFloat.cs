using System;
using System.Buffers.Binary;

namespace Symbols.Expressions;

/// <summary>The x87's 80-bit floating-point numbers, as 64 bits of floating point can hold them (SDM 1, 4.2.2).</summary>
internal static class ExtendedFloat
{
    private const int Bias = 16_383, SpecialExponent = 0x7FFF;
    private const ulong IntegerBit = 1UL << 63;

    /// <summary>The nearest number; what is too large is infinite. Of at least 10 bytes.</summary>
    public static double Read(ReadOnlySpan<byte> bytes)
    {
        ulong significand = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        ushort top = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        int exponent = top & SpecialExponent;
        double sign = (top & 0x8000) != 0 ? -1 : 1;
        if (exponent == SpecialExponent) return significand << 1 == 0 ? sign * double.PositiveInfinity : double.NaN;
        return sign * Math.ScaleB((double)significand, Math.Max(1, exponent) - Bias - 63);
    }

    public static void Write(Span<byte> bytes, double value)
    {
        bytes.Clear();
        if (bytes.Length < 10) return;
        ulong raw = BitConverter.DoubleToUInt64Bits(value);
        int exponent = (int)(raw >> 52) & 0x7FF;
        ulong fraction = raw << 12 >> 1, significand;
        int result;
        if (exponent == 0x7FF) (result, significand) = (SpecialExponent, IntegerBit | fraction);
        else if (exponent != 0) (result, significand) = (exponent - 1023 + Bias, IntegerBit | fraction);
        else if (fraction == 0) (result, significand) = (0, 0);
        else
        {
            int shift = System.Numerics.BitOperations.LeadingZeroCount(fraction);
            (result, significand) = (-1022 + Bias - shift, fraction << shift);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, significand);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], (ushort)(result | ((raw >> 63) != 0 ? 0x8000 : 0)));
    }
}
