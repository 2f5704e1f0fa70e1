using System;
using System.Globalization;
using Vmm.Cpu;

namespace Introspection.Text;

/// <summary>Floating-point values as people write them.</summary>
public static class FloatText
{
    private const int ExponentBias = 16_383, SpecialExponent = 0x7FFF;

    /// <summary>An 80-bit value in decimal, to as many digits as 64 bits of floating point hold.</summary>
    public static string Of(in X87Register register)
    {
        int exponent = (int)(register.SignExponent & SpecialExponent);
        string sign = (register.SignExponent & 0x8000) != 0 ? "-" : "";
        if (exponent == SpecialExponent) return register.Significand << 1 == 0 ? sign + "infinity" : "NaN";
        if (register.Significand == 0) return sign + "0";
        // The binary point lies behind the significand's highest bit.
        int scale = Math.Max(1, exponent) - ExponentBias - 63;
        double value = Math.ScaleB((double)register.Significand, scale);
        if (double.IsNormal(value)) return sign + value.ToString("R", CultureInfo.InvariantCulture);
        // Out of the range of 64 bits: by the logarithm.
        double logarithm = Math.Log10(register.Significand) + scale * Math.Log10(2), power = Math.Floor(logarithm);
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Pow(10, logarithm - power):0.#########}E{power:+0;-0}");
    }

    public static string Of(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    public static string Of(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
