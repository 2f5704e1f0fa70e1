using System.Numerics;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>Rounding of exact or sticky 128-bit significands to a destination format, with its post-computation exceptions (SDM 1 4.9.1.4-6, 8.5.4-6).</summary>
internal static class Float80Rounding
{
    /// <summary>What an unmasked overflow or underflow adds to or takes from the exponent of a register result (SDM 1 8.5.4).</summary>
    private const int ExponentAdjustment = 24576;

    /// <summary>Normal operands and denormals alike: the significand with its integer bit set and the exponent to go with it.</summary>
    public static int Normalize(Float80 value, out ulong significand)
    {
        int shift = BitOperations.LeadingZeroCount(value.Significand);
        significand = value.Significand << shift;
        return (value.Exponent == 0 ? 1 : value.Exponent) - shift;
    }

    /// <summary>Shifts right by any count; bits that fall out are kept as a sticky lowest bit.</summary>
    public static void ShiftRightJam(ref ulong high, ref ulong low, int count)
    {
        if (count == 0) return;
        if (count < 64)
        {
            ulong lost = low << (64 - count);
            low = (low >> count) | (high << (64 - count)) | (lost != 0 ? 1ul : 0);
            high >>= count;
        }
        else if (count < 128)
        {
            ulong lost = low | (count == 64 ? 0 : high << (128 - count));
            low = (high >> (count - 64)) | (lost != 0 ? 1ul : 0);
            high = 0;
        }
        else
        {
            low = (high | low) != 0 ? 1ul : 0;
            high = 0;
        }
    }

    /// <summary>Whether the magnitude is incremented, given the first bit lost and whether any after it is set.</summary>
    public static bool RoundsUp(RoundingMode mode, bool negative, bool odd, bool half, bool sticky) => mode switch
    {
        RoundingMode.Nearest => half && (odd || sticky),
        RoundingMode.Down => negative && (half || sticky),
        RoundingMode.Up => !negative && (half || sticky),
        _ => false,
    };

    /// <summary>Rounds <paramref name="high"/>:<paramref name="low"/> to the top <paramref name="precision"/> bits of <paramref name="high"/>.</summary>
    /// <remarks>
    /// Returns the carry out of bit 63; <paramref name="high"/> is then 0.
    /// </remarks>
    private static bool RoundSignificand(
        RoundingMode mode, bool negative, ref ulong high, ulong low, int precision, out bool inexact, out bool up)
    {
        bool half, sticky;
        ulong unit = 1ul << (64 - precision);
        if (precision == 64)
        {
            half = (low >> 63) != 0;
            sticky = (low << 1) != 0;
        }
        else
        {
            half = (high & (unit >> 1)) != 0;
            sticky = ((high & ((unit >> 1) - 1)) | low) != 0;
        }

        inexact = half || sticky;
        up = RoundsUp(mode, negative, (high & unit) != 0, half, sticky);
        high &= ~(unit - 1);
        if (!up) return false;
        high += unit;
        return high == 0;
    }

    /// <summary>Rounds to a register result.</summary>
    /// <remarks>
    /// <c>exponent</c>: Biased; any value.
    /// <c>high</c>: The significand's top, bit 63 set.
    /// <c>low</c>: Its continuation, the lowest bit sticky.
    /// </remarks>
    public static Float80 Round(ref Float80Context context, bool negative, int exponent, ulong high, ulong low, int precision)
    {
        if (exponent <= 0)
        {
            bool tiny = IsTiny(in context, negative, exponent, high, low, precision);
            if (!tiny || !context.IsUnmasked(X87Exceptions.Underflow))
                return RoundDenormal(ref context, negative, exponent, high, low, precision, tiny);
            context.Raised |= X87Exceptions.Underflow;
            exponent += ExponentAdjustment;
            if (exponent <= 0)
            {
                // Massive underflow, FSCALE only: SDM 1 8.5.5.
                context.Raised |= X87Exceptions.Precision;
                return Float80.Zero(negative);
            }
        }

        bool carry = RoundSignificand(context.Rounding, negative, ref high, low, precision, out bool inexact, out bool up);
        if (carry)
        {
            high = Float80.IntegerBit;
            exponent++;
        }

        if (exponent >= Float80.MaximumExponent)
        {
            context.Raised |= X87Exceptions.Overflow;
            if (!context.IsUnmasked(X87Exceptions.Overflow)) return Overflowed(ref context, negative, precision);
            exponent -= ExponentAdjustment;
            if (exponent >= Float80.MaximumExponent)
            {
                context.Raised |= X87Exceptions.Precision;
                context.RoundedUp = true;
                return Float80.Infinity(negative);
            }
        }

        if (inexact) context.Raised |= X87Exceptions.Precision;
        context.RoundedUp = up;
        return new Float80(negative, exponent, high);
    }

    public static Float80 Round(ref Float80Context context, bool negative, int exponent, ulong high, ulong low) =>
        Round(ref context, negative, exponent, high, low, context.PrecisionBits);

    // Tininess is detected after rounding as if the exponent were unbounded (SDM 1 4.9.1.5).
    private static bool IsTiny(in Float80Context context, bool negative, int exponent, ulong high, ulong low, int precision) =>
        exponent < 0 || !RoundSignificand(context.Rounding, negative, ref high, low, precision, out _, out _);

    private static Float80 RoundDenormal(
        ref Float80Context context, bool negative, int exponent, ulong high, ulong low, int precision, bool tiny)
    {
        ShiftRightJam(ref high, ref low, 1 - exponent);
        RoundSignificand(context.Rounding, negative, ref high, low, precision, out bool inexact, out bool up);
        if (inexact) context.Raised |= X87Exceptions.Precision | (tiny ? X87Exceptions.Underflow : X87Exceptions.None);
        context.RoundedUp = up;
        return new Float80(negative, (int)(high >> 63), high);
    }

    private static Float80 Overflowed(ref Float80Context context, bool negative, int precision)
    {
        context.Raised |= X87Exceptions.Precision;
        bool toInfinity = context.Rounding == RoundingMode.Nearest
            || context.Rounding == (negative ? RoundingMode.Down : RoundingMode.Up);
        context.RoundedUp = toInfinity;
        return toInfinity
            ? Float80.Infinity(negative)
            : new Float80(negative, Float80.MaximumExponent - 1, ~((1ul << (64 - precision)) - 1));
    }

    /// <summary>Rounds a normal or denormal number to a memory format. An unmasked overflow or underflow gives no result.</summary>
    /// <remarks>
    /// <c>value</c>: Not a NaN, infinity, zero or unsupported encoding.
    /// <c>precision</c>: 24 or 53.
    /// <c>exponentBits</c>: 8 or 11.
    /// Returns the magnitude: biased exponent and fraction, without the sign.
    /// </remarks>
    public static ulong RoundToMemory(ref Float80Context context, Float80 value, int precision, int exponentBits)
    {
        int maximum = (1 << exponentBits) - 1;
        int exponent = Normalize(value, out ulong high) - Float80.Bias + (maximum >> 1);
        ulong low = 0;
        bool negative = value.IsNegative, tiny = false;
        if (exponent <= 0)
        {
            tiny = IsTiny(in context, negative, exponent, high, 0, precision);
            if (tiny && context.IsUnmasked(X87Exceptions.Underflow))
            {
                context.Raised |= X87Exceptions.Underflow;
                return 0;
            }

            ShiftRightJam(ref high, ref low, 1 - exponent);
            exponent = 0;
        }

        bool carry = RoundSignificand(context.Rounding, negative, ref high, low, precision, out bool inexact, out bool up);
        if (carry)
        {
            high = Float80.IntegerBit;
            exponent++;
        }
        else if (exponent == 0)
        {
            exponent = (int)(high >> 63);
        }

        if (exponent >= maximum)
        {
            context.Raised |= X87Exceptions.Overflow;
            if (context.IsUnmasked(X87Exceptions.Overflow)) return 0;
            Float80 overflowed = Overflowed(ref context, negative, precision);
            return overflowed.IsInfinity ? (ulong)maximum << (precision - 1) : ((ulong)maximum << (precision - 1)) - 1;
        }

        if (inexact) context.Raised |= X87Exceptions.Precision | (tiny ? X87Exceptions.Underflow : X87Exceptions.None);
        context.RoundedUp = up;
        ulong fraction = (high & ~Float80.IntegerBit) >> (64 - precision);
        return ((ulong)exponent << (precision - 1)) | fraction;
    }
}
