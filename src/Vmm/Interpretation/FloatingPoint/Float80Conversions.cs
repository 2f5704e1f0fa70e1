using System;
using System.Numerics;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>The outcome of a comparison.</summary>
internal enum Float80Relation
{
    Greater,
    Less,
    Equal,
    Unordered,
}

/// <summary>Comparisons, and conversions between the extended format and the formats of memory (SDM 1 4.2.2, 4.7, 8.1.2).</summary>
internal static class Float80Conversions
{
    /// <summary>The packed BCD indefinite: its upper two bytes and its lower eight (SDM 1 4.7).</summary>
    public const ulong BcdIndefiniteLow = 0xC000_0000_0000_0000;
    public const ushort BcdIndefiniteHigh = 0xFFFF;

    private const ulong BcdMaximum = 999_999_999_999_999_999;

    public static Float80Relation Compare(ref Float80Context context, Float80 a, Float80 b, bool quiet)
    {
        if (a.IsUnsupported || b.IsUnsupported)
        {
            context.RaiseInvalid();
            return Float80Relation.Unordered;
        }

        if (a.IsNaN || b.IsNaN)
        {
            if (!quiet || a.IsSignalingNaN || b.IsSignalingNaN) context.RaiseInvalid();
            return Float80Relation.Unordered;
        }

        context.CheckDenormal(a, b);
        if (a.IsZero && b.IsZero) return Float80Relation.Equal;
        if (a.IsNegative != b.IsNegative) return a.IsNegative ? Float80Relation.Less : Float80Relation.Greater;
        int order = CompareMagnitudes(a, b);
        if (order == 0) return Float80Relation.Equal;
        return (order < 0) ^ a.IsNegative ? Float80Relation.Less : Float80Relation.Greater;
    }

    private static int CompareMagnitudes(Float80 a, Float80 b)
    {
        // A pseudo-denormal has the value of the normal number with exponent 1.
        int aExponent = a.Exponent == 0 ? 1 : a.Exponent, bExponent = b.Exponent == 0 ? 1 : b.Exponent;
        if (aExponent != bExponent) return aExponent.CompareTo(bExponent);
        return a.Significand.CompareTo(b.Significand);
    }

    // ---- To the extended format. NaNs stay as they are: what consumes the value decides about signaling ones.

    public static Float80 FromSingle(uint bits, out bool denormal) =>
        FromMemory((bits >> 31) != 0, (int)(bits >> 23) & 0xFF, (ulong)(bits & 0x7F_FFFF) << 40, 0xFF, out denormal);

    public static Float80 FromDouble(ulong bits, out bool denormal) =>
        FromMemory((bits >> 63) != 0, (int)(bits >> 52) & 0x7FF, (bits & 0xF_FFFF_FFFF_FFFF) << 11, 0x7FF, out denormal);

    // fraction: aligned so that its top bit is bit 62.
    private static Float80 FromMemory(bool negative, int exponent, ulong fraction, int maximum, out bool denormal)
    {
        denormal = exponent == 0 && fraction != 0;
        if (exponent == maximum) return new Float80(negative, Float80.MaximumExponent, fraction | Float80.IntegerBit);
        int rebias = Float80.Bias - (maximum >> 1);
        if (exponent != 0) return new Float80(negative, exponent + rebias, fraction | Float80.IntegerBit);
        if (fraction == 0) return Float80.Zero(negative);
        int shift = BitOperations.LeadingZeroCount(fraction);
        return new Float80(negative, 1 - shift + rebias, fraction << shift);
    }

    public static Float80 FromInteger(long value) => FromMagnitude(value < 0, value < 0 ? 0ul - (ulong)value : (ulong)value);

    public static Float80 FromMagnitude(bool negative, ulong magnitude)
    {
        if (magnitude == 0) return Float80.Zero(negative);
        int shift = BitOperations.LeadingZeroCount(magnitude);
        return new Float80(negative, Float80.Bias + 63 - shift, magnitude << shift);
    }

    /// <summary>FBLD. Digits above 9 have the value of their four bits; the SDM leaves them undefined.</summary>
    public static Float80 FromBcd(ulong low, ushort high)
    {
        ulong magnitude = 0;
        for (int shift = 4; shift >= 0; shift -= 4) magnitude = (magnitude * 10) + ((uint)(high >> shift) & 15);
        for (int shift = 60; shift >= 0; shift -= 4) magnitude = (magnitude * 10) + ((low >> shift) & 15);
        return FromMagnitude((high & 0x8000) != 0, magnitude);
    }

    // ---- From the extended format. The result is meaningless when the context's IsStoreSuppressed is set afterwards.

    public static uint ToSingle(ref Float80Context context, Float80 value) => (uint)ToMemory(ref context, value, 24, 8);

    public static ulong ToDouble(ref Float80Context context, Float80 value) => ToMemory(ref context, value, 53, 11);

    private static ulong ToMemory(ref Float80Context context, Float80 value, int precision, int exponentBits)
    {
        ulong maximum = ((1ul << exponentBits) - 1) << (precision - 1);
        if (value.IsUnsupported) value = context.RaiseInvalid();
        ulong sign = value.IsNegative ? 1ul << (precision + exponentBits - 1) : 0;
        if (value.IsNaN)
        {
            value = context.PropagateNaN(value);
            return sign | maximum | ((value.Significand & ~Float80.IntegerBit) >> (64 - precision));
        }

        if (value.IsInfinity) return sign | maximum;
        if (value.IsZero) return sign;
        return sign | Float80Rounding.RoundToMemory(ref context, value, precision, exponentBits);
    }

    /// <summary>The integer part of a magnitude below 2^63, rounded; it can be 2^63 itself.</summary>
    public static ulong RoundToMagnitude(Float80 value, RoundingMode mode, out bool inexact, out bool up)
    {
        ulong integer = value.Significand, fraction = 0;
        Float80Rounding.ShiftRightJam(ref integer, ref fraction, Math.Min(Float80.Bias + 63 - value.Exponent, 200));
        inexact = fraction != 0;
        up = Float80Rounding.RoundsUp(mode, value.IsNegative, (integer & 1) != 0, (fraction >> 63) != 0, (fraction << 1) != 0);
        return up ? integer + 1 : integer;
    }

    /// <summary>FIST, FISTP, FISTTP: a two's complement integer of 16, 32 or 64 bits, or the integer indefinite and the invalid exception.</summary>
    public static long ToInteger(ref Float80Context context, Float80 value, int bits, RoundingMode mode)
    {
        long indefinite = long.MinValue >> (64 - bits);
        if (value.IsUnsupported || value.Exponent > Float80.Bias + 63)
        {
            context.RaiseInvalid();
            return indefinite;
        }

        if (value.IsZero) return 0;
        bool negative = value.IsNegative;
        ulong magnitude = RoundToMagnitude(value, mode, out bool inexact, out bool up);
        if (magnitude > (negative ? 1ul << (bits - 1) : (1ul << (bits - 1)) - 1))
        {
            context.RaiseInvalid();
            return indefinite;
        }

        if (inexact) context.Raised |= X87Exceptions.Precision;
        context.RoundedUp = up;
        return negative ? (long)(0 - magnitude) : (long)magnitude;
    }

    /// <summary>FBSTP: 18 packed decimal digits and a sign byte.</summary>
    public static ulong ToBcd(ref Float80Context context, Float80 value, out ushort high)
    {
        high = BcdIndefiniteHigh;
        if (value.IsUnsupported || value.Exponent > Float80.Bias + 62)
        {
            context.RaiseInvalid();
            return BcdIndefiniteLow;
        }

        ulong magnitude = RoundToMagnitude(value, context.Rounding, out bool inexact, out bool up);
        if (magnitude > BcdMaximum)
        {
            context.RaiseInvalid();
            return BcdIndefiniteLow;
        }

        if (inexact) context.Raised |= X87Exceptions.Precision;
        context.RoundedUp = up;
        ulong low = 0;
        for (int shift = 0; shift < 64; shift += 4)
        {
            low |= (magnitude % 10) << shift;
            magnitude /= 10;
        }

        high = (ushort)((value.IsNegative ? 0x8000u : 0) | (uint)(magnitude % 10) | (uint)((magnitude / 10) << 4));
        return low;
    }
}
