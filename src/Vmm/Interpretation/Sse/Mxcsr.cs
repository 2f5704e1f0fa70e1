namespace Vmm.Interpretation.Sse;

/// <summary>Bits of MXCSR (SDM 1 10.2.3). The masks of the six exceptions are their flags shifted left by 7.</summary>
internal static class Mxcsr
{
    public const uint InvalidOperation = 1 << 0;
    public const uint Denormal = 1 << 1;
    public const uint ZeroDivide = 1 << 2;
    public const uint Overflow = 1 << 3;
    public const uint Underflow = 1 << 4;
    public const uint Precision = 1 << 5;
    public const uint DenormalsAreZeros = 1 << 6;
    public const int MaskShift = 7;
    public const int RoundingShift = 13;
    public const uint FlushToZero = 1 << 15;

    /// <summary>Found before the operation is carried out; when one of them is unmasked the others are not looked for.</summary>
    public const uint PreComputation = InvalidOperation | Denormal | ZeroDivide;

    /// <summary>What LDMXCSR and FXRSTOR may set; FXSAVE reports it as MXCSR_MASK.</summary>
    public const uint Writable = 0xFFFF;

    /// <summary>Value after reset and INIT: everything masked, round to nearest.</summary>
    public const uint AfterReset = 0x1F80;
}

/// <summary>The rounding control field (SDM 1 table 4-8), in its encoding.</summary>
internal enum Rounding
{
    Nearest = 0,
    Down = 1,
    Up = 2,
    TowardZero = 3,
}
