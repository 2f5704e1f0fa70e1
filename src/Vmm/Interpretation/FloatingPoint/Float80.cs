namespace Vmm.Interpretation.FloatingPoint;

/// <summary>A number in the double extended-precision format (SDM 1 4.2.2): 1 sign bit, 15 exponent bits, 64 significand bits with an explicit integer bit.</summary>
internal readonly struct Float80(ushort signExponent, ulong significand)
{
    public const int Bias = 16383;
    public const int MaximumExponent = 0x7FFF;
    public const ulong IntegerBit = 1ul << 63;
    public const ulong QuietBit = 1ul << 62;

    public readonly ulong Significand = significand;
    /// <summary>Bit 15 sign, bits 0..14 biased exponent.</summary>
    public readonly ushort SignExponent = signExponent;

    public Float80(bool negative, int exponent, ulong significand)
        : this((ushort)((negative ? 0x8000 : 0) | exponent), significand)
    {
    }

    public bool IsNegative => (SignExponent & 0x8000) != 0;

    /// <summary>0..7FFFh, biased.</summary>
    public int Exponent => SignExponent & 0x7FFF;

    public bool IsZero => Exponent == 0 && Significand == 0;

    public bool IsInfinity => Exponent == MaximumExponent && Significand == IntegerBit;

    public bool IsNaN => Exponent == MaximumExponent && Significand > IntegerBit;

    public bool IsSignalingNaN => IsNaN && (Significand & QuietBit) == 0;

    /// <summary>Denormals and pseudo-denormals: both raise the denormal-operand exception (SDM 1 8.2.2).</summary>
    public bool IsDenormal => Exponent == 0 && Significand != 0;

    /// <summary>Pseudo-NaN, pseudo-infinity or unnormal: an integer bit of 0 with a nonzero exponent (SDM 1 8.2.2, table 8-3).</summary>
    public bool IsUnsupported => Exponent != 0 && (Significand & IntegerBit) == 0;

    public Float80 Quieted => new(SignExponent, Significand | QuietBit);

    public Float80 Absolute => new((ushort)(SignExponent & 0x7FFF), Significand);

    public Float80 Negated => new((ushort)(SignExponent ^ 0x8000), Significand);

    /// <summary>The real indefinite QNaN (SDM 1 4.8.3.7).</summary>
    public static Float80 Indefinite => new(0xFFFF, 0xC000_0000_0000_0000);

    public static Float80 One => new(Bias, IntegerBit);

    public static Float80 Zero(bool negative) => new(negative, 0, 0);

    public static Float80 Infinity(bool negative) => new(negative, MaximumExponent, IntegerBit);

    public override string ToString() => $"{SignExponent:X4}:{Significand:X16}";
}
