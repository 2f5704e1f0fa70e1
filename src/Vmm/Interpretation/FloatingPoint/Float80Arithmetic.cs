using System;
using System.Numerics;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>
/// Add, subtract, multiply, divide and square root, in integer arithmetic (SDM 1 8.3.5). A result is meaningless when the context
/// <see cref="Float80Context.IsStopped"/> afterwards.
/// </summary>
internal static class Float80Arithmetic
{
    public static Float80 Add(ref Float80Context context, Float80 a, Float80 b) => AddSigned(ref context, a, b, false);

    public static Float80 Subtract(ref Float80Context context, Float80 a, Float80 b) => AddSigned(ref context, a, b, true);

    /// <summary>The early end of an operation: an unsupported encoding or a NaN among its operands.</summary>
    internal static bool IsSpecial(ref Float80Context context, Float80 a, Float80 b, out Float80 result)
    {
        if (a.IsUnsupported || b.IsUnsupported)
        {
            result = context.RaiseInvalid();
            return true;
        }

        if (a.IsNaN || b.IsNaN)
        {
            result = context.PropagateNaN(a, b);
            return true;
        }

        result = default;
        return false;
    }

    private static Float80 AddSigned(ref Float80Context context, Float80 a, Float80 b, bool negate)
    {
        if (IsSpecial(ref context, a, b, out Float80 special)) return special;
        bool aNegative = a.IsNegative, bNegative = b.IsNegative ^ negate;
        if (a.IsInfinity || b.IsInfinity)
        {
            if (a.IsInfinity && b.IsInfinity && aNegative != bNegative) return context.RaiseInvalid();
            context.CheckDenormal(a, b);
            return Float80.Infinity(a.IsInfinity ? aNegative : bNegative);
        }

        if (!context.CheckDenormal(a, b)) return default;
        if (a.IsZero && b.IsZero)
            return Float80.Zero(aNegative == bNegative ? aNegative : context.Rounding == RoundingMode.Down);
        int aExponent = Float80Rounding.Normalize(a, out ulong aSignificand);
        int bExponent = Float80Rounding.Normalize(b, out ulong bSignificand);
        if (b.IsZero) return Float80Rounding.Round(ref context, aNegative, aExponent, aSignificand, 0);
        if (a.IsZero) return Float80Rounding.Round(ref context, bNegative, bExponent, bSignificand, 0);

        // The larger magnitude first.
        if (aExponent < bExponent || (aExponent == bExponent && aSignificand < bSignificand))
        {
            (aExponent, bExponent) = (bExponent, aExponent);
            (aSignificand, bSignificand) = (bSignificand, aSignificand);
            (aNegative, bNegative) = (bNegative, aNegative);
        }

        ulong low = 0;
        Float80Rounding.ShiftRightJam(ref bSignificand, ref low, Math.Min(aExponent - bExponent, 200));
        return aNegative == bNegative
            ? SumOfMagnitudes(ref context, aNegative, aExponent, aSignificand, bSignificand, low)
            : DifferenceOfMagnitudes(ref context, aNegative, aExponent, aSignificand, bSignificand, low);
    }

    private static Float80 SumOfMagnitudes(ref Float80Context context, bool negative, int exponent, ulong a, ulong b, ulong low)
    {
        ulong sum = a + b;
        if (sum >= a) return Float80Rounding.Round(ref context, negative, exponent, sum, low);
        low = (low >> 1) | (low & 1) | (sum << 63);
        return Float80Rounding.Round(ref context, negative, exponent + 1, (sum >> 1) | Float80.IntegerBit, low);
    }

    private static Float80 DifferenceOfMagnitudes(ref Float80Context context, bool negative, int exponent, ulong a, ulong b, ulong low)
    {
        UInt128 difference = new UInt128(a, 0) - new UInt128(b, low);
        if (difference == 0) return Float80.Zero(context.Rounding == RoundingMode.Down);
        int shift = (int)UInt128.LeadingZeroCount(difference);
        difference <<= shift;
        return Float80Rounding.Round(ref context, negative, exponent - shift, (ulong)(difference >> 64), (ulong)difference);
    }

    public static Float80 Multiply(ref Float80Context context, Float80 a, Float80 b)
    {
        if (IsSpecial(ref context, a, b, out Float80 special)) return special;
        bool negative = a.IsNegative ^ b.IsNegative;
        if (a.IsInfinity || b.IsInfinity)
        {
            if (a.IsZero || b.IsZero) return context.RaiseInvalid();
            context.CheckDenormal(a, b);
            return Float80.Infinity(negative);
        }

        if (!context.CheckDenormal(a, b)) return default;
        if (a.IsZero || b.IsZero) return Float80.Zero(negative);
        int exponent = Float80Rounding.Normalize(a, out ulong aSignificand) + Float80Rounding.Normalize(b, out ulong bSignificand);
        ulong high = Math.BigMul(aSignificand, bSignificand, out ulong low);
        exponent -= Float80.Bias - 1;
        if ((high & Float80.IntegerBit) == 0)
        {
            high = (high << 1) | (low >> 63);
            low <<= 1;
            exponent--;
        }

        return Float80Rounding.Round(ref context, negative, exponent, high, low);
    }

    public static Float80 Divide(ref Float80Context context, Float80 a, Float80 b)
    {
        if (IsSpecial(ref context, a, b, out Float80 special)) return special;
        bool negative = a.IsNegative ^ b.IsNegative;
        if (a.IsInfinity)
        {
            if (b.IsInfinity) return context.RaiseInvalid();
            context.CheckDenormal(b);
            return Float80.Infinity(negative);
        }

        if (b.IsZero)
        {
            if (a.IsZero) return context.RaiseInvalid();
            context.Raised |= X87Exceptions.ZeroDivide;
            return Float80.Infinity(negative);
        }

        if (!context.CheckDenormal(a, b)) return default;
        if (a.IsZero || b.IsInfinity) return Float80.Zero(negative);
        int exponent = Float80Rounding.Normalize(a, out ulong aSignificand) - Float80Rounding.Normalize(b, out ulong bSignificand);
        exponent += Float80.Bias;
        ulong dividendLow = 0;
        if (aSignificand >= bSignificand)
        {
            dividendLow = aSignificand << 63;
            aSignificand >>= 1;
        }
        else
        {
            exponent--;
        }

        ulong high = WideInteger.Divide(aSignificand, dividendLow, bSignificand, out ulong remainder);
        ulong low = WideInteger.Divide(remainder, 0, bSignificand, out remainder);
        return Float80Rounding.Round(ref context, negative, exponent, high, low | (remainder != 0 ? 1ul : 0));
    }

    public static Float80 SquareRoot(ref Float80Context context, Float80 a)
    {
        if (a.IsUnsupported) return context.RaiseInvalid();
        if (a.IsNaN) return context.PropagateNaN(a);
        if (a.IsZero) return a;
        if (a.IsNegative) return context.RaiseInvalid();
        if (a.IsInfinity) return a;
        if (!context.CheckDenormal(a)) return default;
        int exponent = Float80Rounding.Normalize(a, out ulong significand) - Float80.Bias;
        // The radicand in [1/4, 1) with an even exponent, so that the root's top bit is bit 63.
        UInt128 radicand = (exponent & 1) != 0 ? new UInt128(significand, 0) : new UInt128(significand >> 1, significand << 63);
        ulong root = WideInteger.SquareRoot(radicand, out UInt128 remainder);
        // (root + 1/2)^2 = root^2 + root + 1/4, so the first lost bit is set exactly when the remainder exceeds the root.
        bool half = remainder > root;
        ulong low = (half ? Float80.IntegerBit : 0) | (remainder != 0 ? 1ul : 0);
        return Float80Rounding.Round(ref context, false, (exponent >> 1) + Float80.Bias, root, low);
    }
}
