using Vmm.Cpu;

namespace Vmm.Interpretation.Sse;

/// <summary>The control bits under which one SIMD floating-point instruction runs, and the exceptions that it has raised.</summary>
internal struct FloatEnvironment(uint mxcsr)
{
    private readonly uint _mxcsr = mxcsr;

    /// <summary>Exception flags of all elements so far, as in MXCSR bits 0..5.</summary>
    public uint Raised;

    public Rounding Rounding = (Rounding)((mxcsr >> Mxcsr.RoundingShift) & 3);

    public readonly bool DenormalsAreZeros => (_mxcsr & Mxcsr.DenormalsAreZeros) != 0;

    public readonly bool IsUnderflowMasked => (_mxcsr & (Mxcsr.Underflow << Mxcsr.MaskShift)) != 0;

    public readonly bool IsOverflowMasked => (_mxcsr & (Mxcsr.Overflow << Mxcsr.MaskShift)) != 0;

    /// <summary>FTZ has no effect while underflow is unmasked (SDM 1 10.2.3.3).</summary>
    public readonly bool FlushToZero => (_mxcsr & Mxcsr.FlushToZero) != 0 && IsUnderflowMasked;

    /// <summary>
    /// Round to nearest without DAZ, and PE masked and already set: the environment in which an operation whose operands and result
    /// are normal leaves MXCSR as it is, so that the host's own IEEE arithmetic is the whole answer.
    /// </summary>
    public readonly bool IsSettled =>
        (_mxcsr & (3u << Mxcsr.RoundingShift | Mxcsr.DenormalsAreZeros | Mxcsr.Precision | (Mxcsr.Precision << Mxcsr.MaskShift)))
        == (Mxcsr.Precision | (Mxcsr.Precision << Mxcsr.MaskShift));

    /// <summary>
    /// Records the exceptions in MXCSR. False: one of them is unmasked and its fault is pending (#XM, or #UD while CR4.OSXMMEXCPT is
    /// clear, SDM 1 11.5.2).
    /// </summary>
    public readonly bool TryCommit(Vcpu vcpu)
    {
        if (Raised == 0) return true;
        uint raised = Raised;
        uint unmasked = raised & ~(_mxcsr >> Mxcsr.MaskShift);
        // SDM 1 11.5.3: an unmasked pre-computation exception keeps the computation from happening.
        if ((unmasked & Mxcsr.PreComputation) != 0) raised &= Mxcsr.PreComputation;
        vcpu.State.Mxcsr |= raised;
        if (unmasked == 0) return true;
        vcpu.Fault((vcpu.State.Cr4 & (1u << 10)) != 0 ? Vector.SimdFloatingPoint : Vector.InvalidOpcode);
        return false;
    }
}
