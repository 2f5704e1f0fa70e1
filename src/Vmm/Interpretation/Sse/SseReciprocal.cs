using System;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>
/// RCPPS, RCPSS, RSQRTPS, RSQRTSS. Processors differ in the values within the architectural bound (relative error at most 1.5 * 2^-12),
/// so these are our own and the same everywhere: the exact answer, rounded down to 24 bits, for the middle of the interval of operands
/// that share the top 11 fraction bits. That is a table of 2048 (reciprocal) and 4096 (root) entries, computed when needed. The error is
/// below 1.01 * 2^-12 and 1.01 * 2^-13. They raise no exception and look neither at MXCSR's rounding nor at DAZ or FTZ: denormal operands
/// and tiny results are zeros (SDM 2B, RCPPS and RSQRTPS).
/// </summary>
internal static class SseReciprocal
{
    private const uint Sign = 0x8000_0000, Infinity = 0x7F80_0000, Quiet = 0x0040_0000, DefaultNaN = 0xFFC0_0000;

    public static Completion Rcpps(Vcpu vcpu, in DecodedInstruction d) => Packed(vcpu, in d, root: false);

    public static Completion Rsqrtps(Vcpu vcpu, in DecodedInstruction d) => Packed(vcpu, in d, root: true);

    public static Completion Rcpss(Vcpu vcpu, in DecodedInstruction d) => Scalar(vcpu, in d, root: false);

    public static Completion Rsqrtss(Vcpu vcpu, in DecodedInstruction d) => Scalar(vcpu, in d, root: true);

    private static Completion Packed(Vcpu vcpu, in DecodedInstruction d, bool root)
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        Vector128<byte> result = default;
        for (int i = 0; i < 4; i++)
        {
            uint element = (uint)SseLanes<Binary32>.Get(ref source, i);
            SseLanes<Binary32>.Set(ref result, i, root ? ReciprocalRoot(element) : Reciprocal(element));
        }

        vcpu.State.XmmAs<byte>(d.Destination) = result;
        return Completion.Next;
    }

    private static Completion Scalar(Vcpu vcpu, in DecodedInstruction d, bool root)
    {
        if (!SseOperand.TryReadLow(vcpu, in d, out uint element)) return Completion.Fault;
        uint result = root ? ReciprocalRoot(element) : Reciprocal(element);
        SseLanes<Binary32>.Set(ref vcpu.State.XmmAs<byte>(d.Destination), 0, result);
        return Completion.Next;
    }

    public static uint Reciprocal(uint a)
    {
        uint sign = a & Sign, magnitude = a & ~Sign;
        if (magnitude > Infinity) return a | Quiet;
        if (magnitude == Infinity) return sign;
        if (magnitude < 0x0080_0000) return sign | Infinity;
        uint middle = Middle(magnitude);
        // a = middle / 2^12 * 2^e, so 1/a = 2^12 / middle * 2^-e, and 2^12 / middle is in [1/2, 1).
        uint significand = (uint)((1UL << 36) / middle);
        int exponent = 126 - ((int)(magnitude >> 23) - 127);
        return exponent <= 0 ? sign : sign | ((uint)exponent << 23) | (significand & 0x007F_FFFF);
    }

    public static uint ReciprocalRoot(uint a)
    {
        uint sign = a & Sign, magnitude = a & ~Sign;
        if (magnitude > Infinity) return a | Quiet;
        if (magnitude < 0x0080_0000) return sign | Infinity;
        if (sign != 0) return DefaultNaN;
        if (magnitude == Infinity) return 0;
        int unbiased = (int)(magnitude >> 23) - 127;
        ulong middle = (ulong)Middle(magnitude) << (unbiased & 1);
        // a = middle / 2^12 * 2^(2k) with middle / 2^12 in [1, 4), so 1/sqrt(a) = sqrt(2^12 / middle) * 2^-k, and the root is in (1/2, 1).
        uint significand = SquareRoot((1UL << 60) / middle);
        return ((uint)(126 - (unbiased >> 1)) << 23) | (significand & 0x007F_FFFF);
    }

    /// <summary>The middle of the interval of significands with these top 11 fraction bits, with 12 fraction bits.</summary>
    private static uint Middle(uint magnitude) => ((magnitude & 0x007F_FFFF | 0x0080_0000) >> 12 << 1) + 1;

    /// <summary>Floor of the square root of a number below 2^48, for which a double's root is right in its integer part.</summary>
    private static uint SquareRoot(ulong value) => (uint)Math.Sqrt(value);
}
