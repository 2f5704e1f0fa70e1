using System;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>Exception flags, at their places in the x87 status word, in the control word's masks and in MXCSR bits 0..5 (SDM 1 8.1.3.3).</summary>
[Flags]
internal enum X87Exceptions
{
    None = 0,
    Invalid = 1,
    Denormal = 2,
    ZeroDivide = 4,
    Overflow = 8,
    Underflow = 0x10,
    Precision = 0x20,
    StackFault = 0x40,
    /// <summary>The six that have a mask bit.</summary>
    Maskable = 0x3F,
}

/// <summary>Rounding control, as encoded in the control word and in MXCSR (SDM 1 4.8.4).</summary>
internal enum RoundingMode
{
    Nearest = 0,
    Down = 1,
    Up = 2,
    Truncate = 3,
}
