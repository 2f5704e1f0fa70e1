using System;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.Interpretation.Sse;

/// <summary>
/// IEEE 754 arithmetic in integers, with the choices of SSE: tininess is detected after rounding, NaNs follow SDM 1 table 4-7, and the
/// default NaN is negative (SDM 1 table 4-3). Every operation is exact in result and flags under every MXCSR.
/// </summary>
/// <remarks>
/// Finite operands are unpacked to a significand whose leading bit is <see cref="LeadBit"/> and the biased exponent of that bit;
/// bits below the format's precision are guard bits, the lowest of which is sticky.
/// </remarks>
internal static class SoftFloat<TFormat>
    where TFormat : struct, IBinaryFormat
{
    private const int LeadBit = 62;

    public static int ExponentMaximum
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (1 << TFormat.ExponentBits) - 1;
    }

    public static int Bias
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ExponentMaximum >> 1;
    }

    public static ulong Sign
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1UL << (TFormat.FractionBits + TFormat.ExponentBits);
    }

    public static ulong FractionMask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (1UL << TFormat.FractionBits) - 1;
    }

    public static ulong QuietBit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1UL << (TFormat.FractionBits - 1);
    }

    public static ulong Infinity
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (ulong)ExponentMaximum << TFormat.FractionBits;
    }

    public static ulong DefaultNaN
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Sign | Infinity | QuietBit;
    }

    public static ulong One
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (ulong)Bias << TFormat.FractionBits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNaN(ulong a) => (a & ~Sign) > Infinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSignalingNaN(ulong a) => IsNaN(a) && (a & QuietBit) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsInfinity(ulong a) => (a & ~Sign) == Infinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsZero(ulong a) => (a & ~Sign) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDenormal(ulong a) => (a & ~Sign) - 1 < FractionMask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNegative(ulong a) => (a & Sign) != 0;

    /// <summary>The operand as the operation sees it: under DAZ a denormal is a zero of its sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Operand(ulong a, in FloatEnvironment environment) =>
        environment.DenormalsAreZeros && IsDenormal(a) ? a & Sign : a;

    public static ulong Add(ulong a, ulong b, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        b = Operand(b, environment);
        if (IsNaN(a) || IsNaN(b)) return PropagateNaN(a, b, ref environment);
        if (IsInfinity(a) && IsInfinity(b) && a != b) return Invalid(ref environment);
        RaiseDenormal(a, b, ref environment);
        if (IsInfinity(a)) return a;
        if (IsInfinity(b)) return b;
        if (IsZero(a) && IsZero(b))
            return a == b ? a : environment.Rounding == Rounding.Down ? Sign : 0;

        ulong sign = a & Sign, signB = b & Sign;
        ulong significandA = Unpack(a, out int exponentA), significandB = Unpack(b, out int exponentB);
        if (significandB != 0 && (significandA == 0 || exponentA < exponentB || (exponentA == exponentB && significandA < significandB)))
        {
            (significandA, significandB) = (significandB, significandA);
            (exponentA, exponentB) = (exponentB, exponentA);
            (sign, signB) = (signB, sign);
        }

        significandB = significandB == 0 ? 0 : ShiftRightJam(significandB, exponentA - exponentB);
        if (sign == signB)
        {
            ulong sum = significandA + significandB;
            if ((long)sum >= 0) return RoundPack(sign, exponentA, sum, ref environment);
            return RoundPack(sign, exponentA + 1, (sum >> 1) | (sum & 1), ref environment);
        }

        ulong difference = significandA - significandB;
        if (difference == 0) return environment.Rounding == Rounding.Down ? Sign : 0;
        int shift = BitOperations.LeadingZeroCount(difference) - 1;
        return RoundPack(sign, exponentA - shift, difference << shift, ref environment);
    }

    public static ulong Subtract(ulong a, ulong b, ref FloatEnvironment environment) =>
        // A NaN keeps its sign; everything else is added with the opposite one.
        Add(a, IsNaN(b) ? b : b ^ Sign, ref environment);

    public static ulong Multiply(ulong a, ulong b, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        b = Operand(b, environment);
        if (IsNaN(a) || IsNaN(b)) return PropagateNaN(a, b, ref environment);
        if ((IsInfinity(a) && IsZero(b)) || (IsZero(a) && IsInfinity(b))) return Invalid(ref environment);
        RaiseDenormal(a, b, ref environment);
        ulong sign = (a ^ b) & Sign;
        if (IsInfinity(a) || IsInfinity(b)) return sign | Infinity;
        if (IsZero(a) || IsZero(b)) return sign;

        ulong significandA = Unpack(a, out int exponentA), significandB = Unpack(b, out int exponentB);
        ulong high = Math.BigMul(significandA, significandB, out ulong low);
        // The product has its leading bit at 124 or 125; keep 64 of its bits and a sticky one.
        ulong product = (high << 2) | (low >> 62);
        if ((low << 2) != 0) product |= 1;
        int exponent = exponentA + exponentB - Bias;
        if ((long)product < 0)
        {
            product = (product >> 1) | (product & 1);
            exponent++;
        }

        return RoundPack(sign, exponent, product, ref environment);
    }

    public static ulong Divide(ulong a, ulong b, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        b = Operand(b, environment);
        if (IsNaN(a) || IsNaN(b)) return PropagateNaN(a, b, ref environment);
        if ((IsInfinity(a) && IsInfinity(b)) || (IsZero(a) && IsZero(b))) return Invalid(ref environment);
        ulong sign = (a ^ b) & Sign;
        if (IsZero(b))
        {
            if (!IsInfinity(a)) environment.Raised |= Mxcsr.ZeroDivide;
            return sign | Infinity;
        }

        RaiseDenormal(a, b, ref environment);
        if (IsInfinity(a)) return sign | Infinity;
        if (IsInfinity(b) || IsZero(a)) return sign;

        ulong significandA = Unpack(a, out int exponentA), significandB = Unpack(b, out int exponentB);
        int exponent = exponentA - exponentB + Bias;
        UInt128 dividend = (UInt128)significandA << LeadBit;
        if (significandA < significandB)
        {
            dividend <<= 1;
            exponent--;
        }

        (UInt128 quotient, UInt128 remainder) = UInt128.DivRem(dividend, significandB);
        return RoundPack(sign, exponent, (ulong)quotient | (remainder != 0 ? 1UL : 0), ref environment);
    }

    public static ulong SquareRoot(ulong a, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        if (IsNaN(a)) return PropagateNaN(a, a, ref environment);
        if (IsZero(a)) return a;
        if (IsNegative(a)) return Invalid(ref environment);
        RaiseDenormal(a, a, ref environment);
        if (IsInfinity(a)) return a;

        ulong significand = Unpack(a, out int exponent);
        int unbiased = exponent - Bias;
        UInt128 radicand = (UInt128)significand << (LeadBit + (unbiased & 1));
        ulong root = IntegerSquareRoot(radicand);
        bool inexact = (UInt128)root * root != radicand;
        return RoundPack(0, (unbiased >> 1) + Bias, root | (inexact ? 1UL : 0), ref environment);
    }

    /// <summary>MINPS and MAXPS: with a NaN, and with two zeros, the answer is the second operand (SDM 2B, MINPS).</summary>
    public static ulong MinimumOrMaximum(ulong a, ulong b, bool maximum, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        b = Operand(b, environment);
        FloatRelation relation = Compare(a, b, signalsQuietNaN: true, ref environment);
        return relation == (maximum ? FloatRelation.Greater : FloatRelation.Less) ? a : b;
    }

    public static FloatRelation Compare(ulong a, ulong b, bool signalsQuietNaN, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        b = Operand(b, environment);
        if (IsNaN(a) || IsNaN(b))
        {
            if (signalsQuietNaN || IsSignalingNaN(a) || IsSignalingNaN(b)) environment.Raised |= Mxcsr.InvalidOperation;
            return FloatRelation.Unordered;
        }

        RaiseDenormal(a, b, ref environment);
        if (a == b || (IsZero(a) && IsZero(b))) return FloatRelation.Equal;
        if (IsNegative(a) != IsNegative(b)) return IsNegative(a) ? FloatRelation.Less : FloatRelation.Greater;
        return (a < b) != IsNegative(a) ? FloatRelation.Less : FloatRelation.Greater;
    }

    /// <summary>ROUNDPS and kin: to an integer in the same format. They never raise DE (SDM 2B, ROUNDPS).</summary>
    public static ulong RoundToIntegral(ulong a, Rounding rounding, bool raisesPrecision, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        if (IsNaN(a)) return PropagateNaN(a, a, ref environment);
        int exponent = (int)((a & ~Sign) >> TFormat.FractionBits) - Bias;
        if (exponent >= TFormat.FractionBits || IsZero(a)) return a;
        ulong sign = a & Sign, magnitude = a & ~Sign, result;
        if (exponent < 0)
        {
            bool up = rounding switch
            {
                Rounding.Nearest => exponent == -1 && (magnitude & FractionMask) != 0,
                Rounding.Down => sign != 0,
                Rounding.Up => sign == 0,
                _ => false,
            };
            result = up ? One : 0;
        }
        else
        {
            ulong unit = 1UL << (TFormat.FractionBits - exponent);
            ulong lost = magnitude & (unit - 1);
            // A carry out of the fraction into the exponent is the right answer: the next power of two.
            result = magnitude - lost + (RoundsUp(lost, unit >> 1, (magnitude & unit) != 0, sign != 0, rounding) ? unit : 0);
        }

        if (raisesPrecision && result != magnitude) environment.Raised |= Mxcsr.Precision;
        return sign | result;
    }

    /// <summary>
    /// To a two's complement integer of <paramref name="bits"/> bits; the integer indefinite (only the top bit set) with IE when it does
    /// not fit (SDM 1 table 4-1).
    /// </summary>
    public static ulong ToInteger(ulong a, int bits, Rounding rounding, ref FloatEnvironment environment)
    {
        a = Operand(a, environment);
        ulong limit = 1UL << (bits - 1);
        if (IsZero(a)) return 0;
        ulong significand = IsNaN(a) || IsInfinity(a) ? 0 : Unpack(a, out _);
        int exponent = (int)((a & ~Sign) >> TFormat.FractionBits) - Bias;
        bool negative = IsNegative(a);
        if (significand != 0 && exponent <= 63)
        {
            // Everything down to a quarter is kept, then a sticky bit; the integer part is at bit 2 and up.
            ulong magnitude, lost;
            if (exponent >= LeadBit)
            {
                magnitude = significand << (exponent - LeadBit);
                lost = 0;
            }
            else
            {
                int shift = LeadBit - Math.Max(exponent, -1);
                ulong fixedPoint = exponent < -1 ? 1 : significand;
                magnitude = shift == 63 ? 0 : fixedPoint >> shift;
                lost = shift == 63 ? fixedPoint << 1 : fixedPoint << (64 - shift);
            }

            // "lost" is the fraction as a 64-bit binary fraction, so one half is the top bit.
            if (RoundsUp(lost, 1UL << 63, (magnitude & 1) != 0, negative, rounding)) magnitude++;
            if (magnitude < limit || (negative && magnitude == limit))
            {
                if (lost != 0) environment.Raised |= Mxcsr.Precision;
                return negative ? 0 - magnitude : magnitude;
            }
        }

        environment.Raised |= Mxcsr.InvalidOperation;
        return limit;
    }

    public static ulong FromInteger(long value, ref FloatEnvironment environment)
    {
        if (value == 0) return 0;
        ulong sign = value < 0 ? Sign : 0;
        ulong magnitude = value < 0 ? 0 - (ulong)value : (ulong)value;
        int leadingZeros = BitOperations.LeadingZeroCount(magnitude);
        ulong significand = leadingZeros == 0 ? (magnitude >> 1) | (magnitude & 1) : magnitude << (leadingZeros - 1);
        return RoundPack(sign, Bias + 63 - leadingZeros, significand, ref environment);
    }

    /// <summary>From another format.</summary>
    public static ulong From<TSource>(ulong a, ref FloatEnvironment environment)
        where TSource : struct, IBinaryFormat
    {
        a = SoftFloat<TSource>.Operand(a, environment);
        ulong sign = SoftFloat<TSource>.IsNegative(a) ? Sign : 0;
        if (SoftFloat<TSource>.IsNaN(a))
        {
            if (SoftFloat<TSource>.IsSignalingNaN(a)) environment.Raised |= Mxcsr.InvalidOperation;
            ulong payload = (a & SoftFloat<TSource>.FractionMask) << (63 - TSource.FractionBits) >> (63 - TFormat.FractionBits);
            return sign | Infinity | QuietBit | payload;
        }

        if (SoftFloat<TSource>.IsInfinity(a)) return sign | Infinity;
        if (SoftFloat<TSource>.IsZero(a)) return sign;
        SoftFloat<TSource>.RaiseDenormal(a, a, ref environment);
        ulong significand = SoftFloat<TSource>.Unpack(a, out int exponent);
        return RoundPack(sign, exponent - SoftFloat<TSource>.Bias + Bias, significand, ref environment);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RaiseDenormal(ulong a, ulong b, ref FloatEnvironment environment)
    {
        if (IsDenormal(a) || IsDenormal(b)) environment.Raised |= Mxcsr.Denormal;
    }

    /// <summary>SDM 1 table 4-7 for SSE: the first operand if it is a NaN, else the second, made quiet.</summary>
    private static ulong PropagateNaN(ulong a, ulong b, ref FloatEnvironment environment)
    {
        if (IsSignalingNaN(a) || IsSignalingNaN(b)) environment.Raised |= Mxcsr.InvalidOperation;
        return (IsNaN(a) ? a : b) | QuietBit;
    }

    private static ulong Invalid(ref FloatEnvironment environment)
    {
        environment.Raised |= Mxcsr.InvalidOperation;
        return DefaultNaN;
    }

    /// <summary>Significand with its leading bit at <see cref="LeadBit"/>, or 0 for a zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Unpack(ulong a, out int exponent)
    {
        exponent = (int)((a & ~Sign) >> TFormat.FractionBits);
        ulong fraction = a & FractionMask;
        int guardBits = LeadBit - TFormat.FractionBits;
        if (exponent != 0) return (fraction | (FractionMask + 1)) << guardBits;
        if (fraction == 0) return 0;
        int shift = BitOperations.LeadingZeroCount(fraction) - 1;
        exponent = 1 - (shift - guardBits);
        return fraction << shift;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ShiftRightJam(ulong value, int count)
    {
        if (count == 0) return value;
        if (count > 63) return value != 0 ? 1UL : 0;
        return (value >> count) | ((value << (64 - count)) != 0 ? 1UL : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool RoundsUp(ulong lost, ulong half, bool odd, bool negative, Rounding rounding) => rounding switch
    {
        Rounding.Nearest => lost > half || (lost == half && odd),
        Rounding.Down => lost != 0 && negative,
        Rounding.Up => lost != 0 && !negative,
        _ => false,
    };

    /// <summary>Rounds to the format's precision and range, raising OE, UE and PE (SDM 1 4.9.1.4 to 4.9.1.6).</summary>
    private static ulong RoundPack(ulong sign, int exponent, ulong significand, ref FloatEnvironment environment)
    {
        int guardBits = LeadBit - TFormat.FractionBits;
        ulong unit = 1UL << guardBits;
        bool tiny = false;
        if (exponent <= 0)
        {
            // Tiny: below the smallest normal number even if rounded with an unbounded exponent.
            tiny = exponent < 0 || Round(significand, unit, sign, environment.Rounding, out bool _) >> (TFormat.FractionBits + 1) == 0;
            if (tiny && !environment.IsUnderflowMasked)
            {
                // The unmasked response does not denormalise, so PE tells about the result with an unbounded exponent.
                environment.Raised |= Mxcsr.Underflow;
                if ((significand & (unit - 1)) != 0) environment.Raised |= Mxcsr.Precision;
                return sign;
            }

            if (tiny && environment.FlushToZero)
            {
                environment.Raised |= Mxcsr.Underflow | Mxcsr.Precision;
                return sign;
            }

            significand = ShiftRightJam(significand, 1 - exponent);
            exponent = 1;
        }

        // The implicit bit of a normal significand adds one to the exponent field; so does a carry out of rounding.
        ulong rounded = Round(significand, unit, sign, environment.Rounding, out bool inexact);
        if (exponent >= ExponentMaximum || rounded + ((ulong)(exponent - 1) << TFormat.FractionBits) >= Infinity)
        {
            environment.Raised |= Mxcsr.Overflow;
            if (inexact || environment.IsOverflowMasked) environment.Raised |= Mxcsr.Precision;
            bool toInfinity = environment.Rounding == Rounding.Nearest || environment.Rounding == (sign != 0 ? Rounding.Down : Rounding.Up);
            return sign | (toInfinity ? Infinity : Infinity - 1);
        }

        if (inexact) environment.Raised |= tiny ? Mxcsr.Underflow | Mxcsr.Precision : Mxcsr.Precision;
        return sign | (rounded + ((ulong)(exponent - 1) << TFormat.FractionBits));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(ulong significand, ulong unit, ulong sign, Rounding rounding, out bool inexact)
    {
        ulong lost = significand & (unit - 1);
        inexact = lost != 0;
        ulong kept = significand >> (LeadBit - TFormat.FractionBits);
        return kept + (RoundsUp(lost, unit >> 1, (kept & 1) != 0, sign != 0, rounding) ? 1UL : 0);
    }

    /// <summary>
    /// Floor of the square root of a number of 125 or 126 bits: one Newton step from an estimate good to 50 bits, then the last unit.
    /// </summary>
    private static ulong IntegerSquareRoot(UInt128 radicand)
    {
        UInt128 root = (UInt128)Math.Sqrt((double)radicand);
        root = (root + (radicand / root)) >> 1;
        while (root * root > radicand) root--;
        while ((root + 1) * (root + 1) <= radicand) root++;
        return (ulong)root;
    }
}
