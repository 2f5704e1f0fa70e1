using Vmm.Cpu;

namespace Vmm.Translation;

/// <summary>What a translation takes for granted about the vCPU besides the bytes: another mode, another translation.</summary>
/// <param name="CodeSize">32 or 64.</param>
/// <param name="TlbIndex">0..2: which of the soft TLBs holds the permissions.</param>
/// <param name="HasVectors">SSE instructions are enabled: CR0.EM and TS clear, CR4.OSFXSR set.</param>
/// <param name="HasFloatingPoint">So are they, and MXCSR masks all exceptions.</param>
internal readonly record struct TranslationMode(int CodeSize, int TlbIndex, bool HasVectors, bool HasFloatingPoint)
{
    /// <summary>Width of <see cref="Number"/>.</summary>
    public const int NumberBits = 5;

    private const uint MxcsrMasks = 0x1F80, MxcsrReserved = 0xFFFF_0000;

    public uint Number => (uint)TlbIndex | (HasVectors ? 4U : 0) | (CodeSize == 64 ? 8U : 0) | (HasFloatingPoint ? 16U : 0);

    /// <summary>The vCPU's mode now; null where code is not translated: 16-bit code, segments with bases or limits, alignment checks.</summary>
    public static TranslationMode? Of(Vcpu vcpu)
    {
        int tlb = vcpu.Mmu.TlbIndex;
        if (tlb == 3 || !vcpu.FetchIsFlat || vcpu.CodeSize == 16) return null;
        ref VcpuState s = ref vcpu.State;
        if (vcpu.CodeSize == 32 && !(IsFlat(s.Segment(SegmentIndex.Ds)) && IsFlat(s.Segment(SegmentIndex.Es)) && IsFlat(s.Segment(SegmentIndex.Ss))
            && s.Segment(SegmentIndex.Ss).IsDefault32)) return null;
        // The host takes no such value, and no guest can have it; a damaged recording can.
        if ((s.Mxcsr & MxcsrReserved) != 0) return null;
        bool vectors = (s.Cr0 & (Cr0.Emulation | Cr0.TaskSwitched)) == 0 && (s.Cr4 & Cr4.OsFxsr) != 0;
        return new TranslationMode(vcpu.CodeSize, tlb, vectors, vectors && (s.Mxcsr & MxcsrMasks) == MxcsrMasks);
    }

    // Present, whole, writable data.
    private static bool IsFlat(in SegmentRegister segment) => segment.Base == 0 && segment.Limit == uint.MaxValue && (segment.AccessRights & 0x9E) == 0x92;
}
