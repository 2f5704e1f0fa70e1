using System;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>
/// A float with a 128-bit significand and an unbounded exponent, for intermediate results: sixty-four bits more than a register. All operations
/// truncate, with an error below 2^-126 of the result. Integer arithmetic only, so that every host computes the same bits.
/// </summary>
internal readonly struct WideFloat(bool isNegative, int exponent, UInt128 significand)
{
    public readonly bool IsNegative = isNegative;
    /// <summary>The value is Significand * 2^(Exponent - 127).</summary>
    public readonly int Exponent = exponent;
    /// <summary>Bit 127 is set, unless the value is zero.</summary>
    public readonly UInt128 Significand = significand;

    public bool IsZero => Significand == 0;

    public WideFloat Negated => new(!IsNegative, Exponent, Significand);

    public WideFloat Absolute => new(false, Exponent, Significand);

    public static WideFloat From(Float80 value)
    {
        if (value.IsZero) return default;
        int exponent = Float80Rounding.Normalize(value, out ulong significand);
        return new WideFloat(value.IsNegative, exponent - Float80.Bias, new UInt128(significand, 0));
    }

    /// <summary>value * 2^(exponent - 127).</summary>
    public static WideFloat FromFixed(UInt128 value, int exponent, bool negative = false)
    {
        if (value == 0) return default;
        int shift = (int)UInt128.LeadingZeroCount(value);
        return new WideFloat(negative, exponent - shift, value << shift);
    }

    /// <summary>A magnitude below 1 as a fraction of 128 bits.</summary>
    public UInt128 ToFraction()
    {
        int shift = -1 - Exponent;
        return shift >= 128 ? 0 : Significand >> shift;
    }

    public static WideFloat Multiply(WideFloat a, WideFloat b)
    {
        if (a.IsZero || b.IsZero) return default;
        return FromFixed(WideInteger.MultiplyHigh(a.Significand, b.Significand), a.Exponent + b.Exponent + 1, a.IsNegative ^ b.IsNegative);
    }

    public static WideFloat Add(WideFloat a, WideFloat b)
    {
        if (a.IsZero) return b;
        if (b.IsZero) return a;
        if (a.Exponent < b.Exponent || (a.Exponent == b.Exponent && a.Significand < b.Significand)) (a, b) = (b, a);
        int shift = a.Exponent - b.Exponent;
        UInt128 smaller = shift >= 128 ? 0 : b.Significand >> shift;
        if (a.IsNegative != b.IsNegative) return FromFixed(a.Significand - smaller, a.Exponent, a.IsNegative);
        UInt128 sum = a.Significand + smaller;
        return sum >= a.Significand
            ? new WideFloat(a.IsNegative, a.Exponent, sum)
            : new WideFloat(a.IsNegative, a.Exponent + 1, (sum >> 1) | (UInt128.One << 127));
    }

    public static WideFloat Subtract(WideFloat a, WideFloat b) => Add(a, b.Negated);

    /// <summary>a / b for b not zero.</summary>
    public static WideFloat Divide(WideFloat a, WideFloat b)
    {
        if (a.IsZero) return default;
        // Restoring division, one quotient bit a step: the remainder stays below the divisor, and doubling it can carry out of bit 127.
        UInt128 remainder = a.Significand, divisor = b.Significand, quotient = 0;
        int exponent = a.Exponent - b.Exponent;
        if (remainder < divisor) exponent--;
        else remainder -= divisor;
        bool leading = exponent == a.Exponent - b.Exponent;
        int steps = 128;
        if (leading)
        {
            quotient = 1;
            steps = 127;
        }

        for (int i = 0; i < steps; i++)
        {
            bool carry = remainder >> 127 != 0;
            remainder <<= 1;
            quotient <<= 1;
            if (!carry && remainder < divisor) continue;
            remainder -= divisor;
            quotient |= 1;
        }

        return new WideFloat(a.IsNegative ^ b.IsNegative, exponent, quotient);
    }

    /// <summary>Rounds to a register result.</summary>
    /// <remarks>
    /// <c>exact</c>: The value is exact; otherwise some nonzero bits are known to follow, as they do for irrational results.
    /// </remarks>
    public Float80 Round(ref Float80Context context, bool exact = false)
    {
        if (IsZero) return Float80.Zero(IsNegative);
        ulong low = (ulong)Significand | (exact ? 0ul : 1ul);
        return Float80Rounding.Round(ref context, IsNegative, Exponent + Float80.Bias, (ulong)(Significand >> 64), low, 64);
    }
}
