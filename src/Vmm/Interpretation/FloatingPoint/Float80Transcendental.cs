using System;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>
/// The transcendental instructions (SDM 1 8.3.5-8.3.10), from power series in 128-bit arithmetic: the error before the final rounding is below
/// 2^-100 of the result, so results are correctly rounded but for operands that nobody has found yet. Hosts' processors differ in their last bit;
/// this code does not.
/// </summary>
internal static class Float80Transcendental
{
    private static readonly UInt128 s_one = UInt128.One << 127;

    private static WideFloat Pi => new(false, 1, new UInt128(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1));
    private static WideFloat Ln2 => new(false, -1, new UInt128(0xB172_17F7_D1CF_79AB, 0xC9E3_B398_03F2_F6AF));
    private static WideFloat TwoOverLn2 => new(false, 1, new UInt128(0xB8AA_3B29_5C17_F0BB, 0xBE87_FED0_691D_3E88));

    // ---- Trigonometry.

    /// <summary>The magnitude reached 2^63: the instruction sets C2 and leaves its operand (SDM 1 8.3.8).</summary>
    public static bool IsOutOfRange(Float80 value) => value.Exponent is >= Float80.Bias + 63 and < Float80.MaximumExponent;

    /// <summary>
    /// The remainder of a magnitude below 2^63 by pi/2, in [-pi/4, pi/4], and the quadrant. Pi is the processor's 66-bit constant
    /// (SDM 1 8.3.8): large arguments give what its reduction gives, not what an infinite pi would.
    /// </summary>
    private static WideFloat ReduceAngle(Float80 value, out int quadrant)
    {
        quadrant = 0;
        WideFloat angle = WideFloat.From(value.Absolute);
        // 66 bits: pi/2 is this integer times 2^-65.
        UInt128 halfPi = new(0x3, 0x243F_6A88_85A3_08D3);
        // Below 2^-1 no reduction is needed, and from there on the angle is an integer number of 2^-64.
        if (angle.Exponent < -1) return angle;
        UInt128 remainder = 0;
        ulong significand = (ulong)(angle.Significand >> 64);
        // angle = significand * 2^(exponent - 63) = significand * 2^(exponent + 2) units: long division, a bit of the dividend a step.
        for (int i = 63 + angle.Exponent + 2; i >= 0; i--)
        {
            int bit = i - (angle.Exponent + 2);
            remainder = (remainder << 1) | (bit >= 0 ? (significand >> bit) & 1 : 0);
            quadrant = (quadrant << 1) & 3;
            if (remainder < halfPi) continue;
            remainder -= halfPi;
            quadrant |= 1;
        }

        UInt128 complement = halfPi - remainder;
        if (complement >= remainder) return WideFloat.FromFixed(remainder, 127 - 65);
        quadrant = (quadrant + 1) & 3;
        return WideFloat.FromFixed(complement, 127 - 65, negative: true);
    }

    // sin(r) for |r| <= pi/4: r * (1 - r^2/(2*3) * (1 - r^2/(4*5) * ...)).
    private static WideFloat SineSeries(WideFloat r)
    {
        UInt128 square = WideFloat.Multiply(r, r).ToFraction();
        UInt128 sum = s_one;
        for (uint k = 16; k >= 1; k--)
            sum = s_one - WideInteger.DivideSmall(WideInteger.MultiplyHigh(square, sum), 2 * k * ((2 * k) + 1));
        // Below 1 even where the series underflows: rounding must see that the sine is nearer to zero than its argument.
        return WideFloat.Multiply(r, WideFloat.FromFixed(UInt128.Min(sum, s_one - 1), 0));
    }

    private static WideFloat CosineSeries(WideFloat r)
    {
        UInt128 square = WideFloat.Multiply(r, r).ToFraction();
        UInt128 sum = s_one;
        for (uint k = 17; k >= 1; k--)
            sum = s_one - WideInteger.DivideSmall(WideInteger.MultiplyHigh(square, sum), 2 * k * ((2 * k) - 1));
        return WideFloat.FromFixed(UInt128.Min(sum, s_one - 1), 0);
    }

    /// <summary>What FSIN, FCOS, FSINCOS and FPTAN have in common: the operands that need no computation.</summary>
    private static bool IsSpecialAngle(ref Float80Context context, Float80 a, out Float80 result)
    {
        result = default;
        if (a.IsUnsupported || a.IsInfinity) result = context.RaiseInvalid();
        else if (a.IsNaN) result = context.PropagateNaN(a);
        else return !context.CheckDenormal(a);
        return true;
    }

    public static Float80 Sine(ref Float80Context context, Float80 a)
    {
        if (IsSpecialAngle(ref context, a, out Float80 special)) return special;
        if (a.IsZero) return a;
        WideFloat r = ReduceAngle(a, out int quadrant);
        return RoundQuadrant(ref context, r, quadrant, a.IsNegative);
    }

    public static Float80 Cosine(ref Float80Context context, Float80 a)
    {
        if (IsSpecialAngle(ref context, a, out Float80 special)) return special;
        if (a.IsZero) return Float80.One;
        WideFloat r = ReduceAngle(a, out int quadrant);
        return RoundQuadrant(ref context, r, quadrant + 1, false);
    }

    // The sine of r + quadrant * pi/2.
    private static Float80 RoundQuadrant(ref Float80Context context, WideFloat r, int quadrant, bool negative)
    {
        WideFloat value = (quadrant & 1) == 0 ? SineSeries(r) : CosineSeries(r);
        if (((quadrant & 2) != 0) ^ negative) value = value.Negated;
        return value.Round(ref context);
    }

    /// <summary>FSINCOS: the sine, and the cosine in <paramref name="cosine"/>.</summary>
    public static Float80 SineCosine(ref Float80Context context, Float80 a, out Float80 cosine)
    {
        if (IsSpecialAngle(ref context, a, out Float80 special)) return cosine = special;
        cosine = Float80.One;
        if (a.IsZero) return a;
        WideFloat r = ReduceAngle(a, out int quadrant);
        Float80 sine = RoundQuadrant(ref context, r, quadrant, a.IsNegative);
        cosine = RoundQuadrant(ref context, r, quadrant + 1, false);
        return sine;
    }

    /// <summary>FPTAN's tangent; the instruction pushes 1.0 after it.</summary>
    public static Float80 Tangent(ref Float80Context context, Float80 a)
    {
        if (IsSpecialAngle(ref context, a, out Float80 special)) return special;
        if (a.IsZero) return a;
        WideFloat r = ReduceAngle(a, out int quadrant);
        WideFloat value;
        // Where r^3/3 is below the last bit the quotient's truncation would lose that the tangent exceeds its argument.
        if (quadrant == 0 && r.Exponent < -60) value = new WideFloat(false, r.Exponent, r.Significand | 1);
        else if ((quadrant & 1) == 0) value = WideFloat.Divide(SineSeries(r), CosineSeries(r));
        else value = WideFloat.Divide(CosineSeries(r), SineSeries(r)).Negated;
        if (a.IsNegative) value = value.Negated;
        return value.Round(ref context);
    }

    /// <summary>FPATAN: the angle of the point (x, y), in all four quadrants (SDM 2A FPATAN, table 3-30).</summary>
    public static Float80 ArcTangent(ref Float80Context context, Float80 y, Float80 x)
    {
        if (Float80Arithmetic.IsSpecial(ref context, y, x, out Float80 special)) return special;
        if (!context.CheckDenormal(y, x)) return default;
        WideFloat angle;
        if (y.IsInfinity)
        {
            // pi/2, or odd multiples of pi/4 in the corners.
            angle = new WideFloat(false, 0, Pi.Significand);
            if (x.IsInfinity) angle = x.IsNegative ? ThreeQuarterPi : new WideFloat(false, -1, Pi.Significand);
        }
        else if (y.IsZero || x.IsInfinity)
        {
            if (!x.IsNegative) return Float80.Zero(y.IsNegative);
            angle = Pi;
        }
        else if (x.IsZero)
        {
            angle = new WideFloat(false, 0, Pi.Significand);
        }
        else
        {
            angle = ArcTangentOfRatio(WideFloat.From(y.Absolute), WideFloat.From(x.Absolute));
            if (x.IsNegative) angle = WideFloat.Subtract(Pi, angle);
        }

        return (y.IsNegative ? angle.Negated : angle).Round(ref context);
    }

    private static WideFloat ThreeQuarterPi => WideFloat.Add(new WideFloat(false, 0, Pi.Significand), new WideFloat(false, -1, Pi.Significand));

    // atan(y / x) for positive y and x, in (0, pi/2).
    private static WideFloat ArcTangentOfRatio(WideFloat y, WideFloat x)
    {
        bool steep = y.Exponent > x.Exponent || (y.Exponent == x.Exponent && y.Significand > x.Significand);
        if (steep) (x, y) = (y, x);
        WideFloat ratio = WideFloat.Divide(y, x);
        WideFloat angle = ArcTangentBelowOne(ratio);
        return steep ? WideFloat.Subtract(new WideFloat(false, 0, Pi.Significand), angle) : angle;
    }

    // atan(r) = atan(c) + atan((r - c) / (1 + r c)) with c the nearest multiple of 1/32, so that the series is in less than 1/64.
    private static WideFloat ArcTangentBelowOne(WideFloat ratio)
    {
        int index = 0;
        WideFloat t = ratio;
        if (ratio.Exponent >= -6)
        {
            index = (int)((ratio.Significand >> (127 - 6 - ratio.Exponent)) + 1) >> 1;
            WideFloat c = WideFloat.FromFixed((UInt128)(uint)index << 122, 0);
            WideFloat denominator = WideFloat.Add(new WideFloat(false, 0, s_one), WideFloat.Multiply(ratio, c));
            t = WideFloat.Divide(WideFloat.Subtract(ratio, c), denominator);
        }

        UInt128 square = WideFloat.Multiply(t, t).ToFraction();
        UInt128 sum = WideInteger.DivideSmall(s_one, 25);
        for (uint k = 11; k >= 1; k--)
            sum = WideInteger.DivideSmall(s_one, (2 * k) + 1) - WideInteger.MultiplyHigh(square, sum);
        sum = s_one - WideInteger.MultiplyHigh(square, sum);
        t = WideFloat.Multiply(t, WideFloat.FromFixed(UInt128.Min(sum, s_one - 1), 0));
        return index == 0 ? t : WideFloat.Add(WideFloat.FromFixed(ArcTangentTable.Entries[index], -1), t);
    }

    // ---- Exponential and logarithms.

    /// <summary>F2XM1: 2^a - 1 for a in [-1, 1]. Outside that the SDM leaves the result undefined: here it is the operand.</summary>
    public static Float80 PowerOfTwoMinusOne(ref Float80Context context, Float80 a)
    {
        if (a.IsUnsupported) return context.RaiseInvalid();
        if (a.IsNaN) return context.PropagateNaN(a);
        if (a.IsInfinity) return a.IsNegative ? new Float80(true, Float80.Bias, Float80.IntegerBit) : a;
        if (!context.CheckDenormal(a)) return default;
        if (a.IsZero) return a;
        if (a.Exponent >= Float80.Bias)
        {
            bool minusOne = a.IsNegative && a.Exponent == Float80.Bias && a.Significand == Float80.IntegerBit;
            return minusOne ? new Float80(true, Float80.Bias - 1, Float80.IntegerBit) : a;
        }

        // e^z - 1 = z * (1 + z/2 * (1 + z/3 * ...)).
        WideFloat z = WideFloat.Multiply(WideFloat.From(a), Ln2);
        UInt128 fraction = z.ToFraction(), sum = s_one;
        for (uint k = 32; k >= 2; k--)
        {
            UInt128 term = WideInteger.DivideSmall(WideInteger.MultiplyHigh(fraction, sum), k);
            sum = a.IsNegative ? s_one - term : s_one + term;
        }

        return WideFloat.Multiply(z, WideFloat.FromFixed(sum, 0)).Round(ref context);
    }

    // log2((1 + s) / (1 - s)) = 2/ln2 * (s + s^3/3 + s^5/5 + ...) for |s| <= 0.172.
    private static WideFloat LogarithmSeries(WideFloat s)
    {
        UInt128 square = WideFloat.Multiply(s, s).ToFraction();
        UInt128 sum = WideInteger.DivideSmall(s_one, 55);
        for (uint k = 26; k >= 1; k--)
            sum = WideInteger.DivideSmall(s_one, (2 * k) + 1) + WideInteger.MultiplyHigh(square, sum);
        sum = s_one + WideInteger.MultiplyHigh(square, sum);
        return WideFloat.Multiply(WideFloat.Multiply(s, WideFloat.FromFixed(sum, 0)), TwoOverLn2);
    }

    // log2 of a positive number. Exact for powers of two.
    private static WideFloat Logarithm(WideFloat x, out bool exact)
    {
        int exponent = x.Exponent;
        UInt128 significand = x.Significand;
        exact = significand == s_one;
        WideFloat fraction = default;
        if (!exact)
        {
            // The mantissa in [sqrt(1/2), sqrt(2)).
            bool upper = (ulong)(significand >> 64) > 0xB504_F333_F9DE_6484;
            if (upper) exponent++;
            WideFloat mantissa = new(false, upper ? -1 : 0, significand), one = new(false, 0, s_one);
            fraction = LogarithmSeries(WideFloat.Divide(WideFloat.Subtract(mantissa, one), WideFloat.Add(mantissa, one)));
        }

        WideFloat whole = WideFloat.FromFixed((UInt128)(uint)Math.Abs(exponent) << 96, 31, exponent < 0);
        return WideFloat.Add(whole, fraction);
    }

    /// <summary>FYL2X: y * log2(x).</summary>
    public static Float80 Logarithm(ref Float80Context context, Float80 y, Float80 x)
    {
        if (Float80Arithmetic.IsSpecial(ref context, y, x, out Float80 special)) return special;
        if (x.IsNegative && !x.IsZero) return context.RaiseInvalid();
        if (x.IsZero && !y.IsInfinity)
        {
            if (y.IsZero) return context.RaiseInvalid();
            context.Raised |= X87Exceptions.ZeroDivide;
            return Float80.Infinity(!y.IsNegative);
        }

        bool isOne = x.Exponent == Float80.Bias && x.Significand == Float80.IntegerBit;
        if ((y.IsInfinity && isOne) || (x.IsInfinity && y.IsZero)) return context.RaiseInvalid();
        if (!context.CheckDenormal(y, x)) return default;
        bool negative = y.IsNegative ^ (x.Exponent < Float80.Bias);
        if (y.IsInfinity || x.IsInfinity) return Float80.Infinity(negative);
        if (y.IsZero || isOne) return Float80.Zero(negative);
        WideFloat logarithm = Logarithm(WideFloat.From(x), out bool exact);
        return WideFloat.Multiply(WideFloat.From(y), logarithm).Round(ref context, exact);
    }

    /// <summary>
    /// FYL2XP1: y * log2(x + 1). The SDM defines it for |x| up to 1 - sqrt(1/2); this is the logarithm wherever there is one, and invalid below -1.
    /// </summary>
    public static Float80 LogarithmOfOnePlus(ref Float80Context context, Float80 y, Float80 x)
    {
        if (Float80Arithmetic.IsSpecial(ref context, y, x, out Float80 special)) return special;
        bool fromMinusOne = x.IsNegative && x.Exponent >= Float80.Bias;
        bool isMinusOne = fromMinusOne && x.Exponent == Float80.Bias && x.Significand == Float80.IntegerBit;
        if (fromMinusOne && !isMinusOne) return context.RaiseInvalid();
        if ((y.IsInfinity && x.IsZero) || (x.IsInfinity && y.IsZero)) return context.RaiseInvalid();
        if (isMinusOne && !y.IsInfinity)
        {
            if (y.IsZero) return context.RaiseInvalid();
            context.Raised |= X87Exceptions.ZeroDivide;
            return Float80.Infinity(!y.IsNegative);
        }

        if (!context.CheckDenormal(y, x)) return default;
        bool negative = y.IsNegative ^ x.IsNegative;
        if (y.IsInfinity || x.IsInfinity) return Float80.Infinity(negative);
        if (y.IsZero || x.IsZero) return Float80.Zero(negative);
        WideFloat wide = WideFloat.From(x), logarithm;
        bool exact = false;
        if (wide.Exponent < -2)
        {
            // x = 2s / (1 - s), so s = x / (2 + x): no digit of a small x is lost.
            WideFloat two = new(false, 1, s_one);
            logarithm = LogarithmSeries(WideFloat.Divide(wide, WideFloat.Add(two, wide)));
        }
        else
        {
            logarithm = Logarithm(WideFloat.Add(wide, new WideFloat(false, 0, s_one)), out exact);
        }

        return WideFloat.Multiply(WideFloat.From(y), logarithm).Round(ref context, exact);
    }
}
