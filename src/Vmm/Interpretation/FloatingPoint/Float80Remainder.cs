using System;
using System.Numerics;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>FPREM and FPREM1, FRNDINT, FSCALE and FXTRACT. All give exact or 64-bit results whatever the precision control (SDM 1 8.1.5.2).</summary>
internal static class Float80Remainder
{
    /// <summary>One FPREM or FPREM1 step.</summary>
    /// <remarks>
    /// <c>nearest</c>: FPREM1: the quotient is rounded to nearest even instead of truncated.
    /// <c>quotient</c>: The quotient's low bits; 0 while partial.
    /// <c>partial</c>: C2: the exponents differ by 64 or more, and the dividend was only reduced.
    /// </remarks>
    public static Float80 Remainder(
        ref Float80Context context, Float80 a, Float80 b, bool nearest, out ulong quotient, out bool partial)
    {
        quotient = 0;
        partial = false;
        if (Float80Arithmetic.IsSpecial(ref context, a, b, out Float80 special)) return special;
        if (a.IsInfinity || b.IsZero) return context.RaiseInvalid();
        if (!context.CheckDenormal(a, b)) return default;
        if (a.IsZero) return a;
        int aExponent = Float80Rounding.Normalize(a, out ulong aSignificand);
        if (b.IsInfinity) return Float80Rounding.Round(ref context, a.IsNegative, aExponent, aSignificand, 0, 64);
        int bExponent = Float80Rounding.Normalize(b, out ulong bSignificand);
        int difference = aExponent - bExponent;
        bool negative = a.IsNegative;
        if (difference < (nearest ? -1 : 0))
            return Float80Rounding.Round(ref context, negative, aExponent, aSignificand, 0, 64);
        if (difference == -1)
        {
            // a / b is in (1/4, 1): the nearest integer is 1 when a exceeds b / 2, and 0 in a tie.
            if (aSignificand <= bSignificand)
                return Float80Rounding.Round(ref context, negative, aExponent, aSignificand, 0, 64);
            quotient = 1;
            return Normalized(ref context, !negative, aExponent, (bSignificand - aSignificand) + bSignificand);
        }

        if (difference >= 64)
        {
            // SDM 2A FPREM: the exponent difference falls by a number N between 32 and 63; this is the N that processors use.
            int step = (difference & 31) | 32;
            partial = true;
            ulong reduced = Reduce(aSignificand, bSignificand, step, out _);
            return Normalized(ref context, negative, aExponent - step, reduced);
        }

        ulong remainder = Reduce(aSignificand, bSignificand, difference, out quotient);
        if (nearest)
        {
            ulong complement = bSignificand - remainder;
            if (remainder > complement || (remainder == complement && (quotient & 1) != 0))
            {
                remainder = complement;
                negative = !negative;
                quotient++;
            }

            if (remainder == 0) negative = a.IsNegative;
        }

        return Normalized(ref context, negative, bExponent, remainder);
    }

    // (a << shift) mod b for normalized significands and shift below 64.
    private static ulong Reduce(ulong a, ulong b, int shift, out ulong quotient)
    {
        quotient = 0;
        if (a >= b)
        {
            a -= b;
            quotient = 1;
        }

        if (shift == 0) return a;
        quotient = (quotient << shift) | WideInteger.Divide(a >> (64 - shift), a << shift, b, out ulong remainder);
        return remainder;
    }

    private static Float80 Normalized(ref Float80Context context, bool negative, int exponent, ulong significand)
    {
        if (significand == 0) return Float80.Zero(negative);
        int shift = BitOperations.LeadingZeroCount(significand);
        return Float80Rounding.Round(ref context, negative, exponent - shift, significand << shift, 0, 64);
    }

    public static Float80 RoundToInteger(ref Float80Context context, Float80 a)
    {
        if (a.IsUnsupported) return context.RaiseInvalid();
        if (a.IsNaN) return context.PropagateNaN(a);
        if (a.IsZero || a.Exponent >= Float80.Bias + 63) return a;
        if (!context.CheckDenormal(a)) return default;
        ulong integer = Float80Conversions.RoundToMagnitude(a, context.Rounding, out bool inexact, out bool up);
        if (inexact) context.Raised |= X87Exceptions.Precision;
        context.RoundedUp = up;
        return Float80Conversions.FromMagnitude(a.IsNegative, integer);
    }

    /// <summary>FSCALE: a times 2 to the truncated b (SDM 2A FSCALE, table 3-32).</summary>
    public static Float80 Scale(ref Float80Context context, Float80 a, Float80 b)
    {
        if (Float80Arithmetic.IsSpecial(ref context, a, b, out Float80 special)) return special;
        if (b.IsInfinity)
        {
            if (b.IsNegative ? a.IsInfinity : a.IsZero) return context.RaiseInvalid();
            if (a.IsInfinity || a.IsZero) return a;
            context.CheckDenormal(a);
            return b.IsNegative ? Float80.Zero(a.IsNegative) : Float80.Infinity(a.IsNegative);
        }

        if (!context.CheckDenormal(a, b)) return default;
        if (a.IsInfinity || a.IsZero) return a;
        int exponent = Float80Rounding.Normalize(a, out ulong significand);
        // 2^16 is beyond every finite result, bias-adjusted ones included.
        int scale = b.Exponent >= Float80.Bias + 16
            ? 0x10000
            : (int)Float80Conversions.RoundToMagnitude(b, RoundingMode.Truncate, out _, out _);
        return Float80Rounding.Round(ref context, a.IsNegative, b.IsNegative ? exponent - scale : exponent + scale, significand, 0, 64);
    }

    /// <summary>FXTRACT: the exponent, and in <paramref name="significand"/> the significand in [1, 2).</summary>
    public static Float80 Extract(ref Float80Context context, Float80 a, out Float80 significand)
    {
        if (a.IsUnsupported) return significand = context.RaiseInvalid();
        if (a.IsNaN) return significand = context.PropagateNaN(a);
        significand = a;
        if (a.IsInfinity) return Float80.Infinity(false);
        if (a.IsZero)
        {
            context.Raised |= X87Exceptions.ZeroDivide;
            return Float80.Infinity(true);
        }

        if (!context.CheckDenormal(a)) return default;
        int exponent = Float80Rounding.Normalize(a, out ulong normalized) - Float80.Bias;
        significand = new Float80(a.IsNegative, Float80.Bias, normalized);
        return Float80Conversions.FromMagnitude(exponent < 0, (ulong)Math.Abs(exponent));
    }
}
