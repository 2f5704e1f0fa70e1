using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>MXCSR's load and store, and hints and fences, which do nothing: memory is always coherent and in order here.</summary>
internal static class SseControl
{
    public static Completion Ldmxcsr(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadMemory(vcpu, in d, out uint value)) return Completion.Fault;
        if ((value & ~Mxcsr.Writable) != 0) return vcpu.GeneralProtection();
        vcpu.State.Mxcsr = value;
        return Completion.Next;
    }

    public static Completion Stmxcsr(Vcpu vcpu, in DecodedInstruction d) =>
        SseMove.Ended(SseOperand.TryWriteMemory(vcpu, in d, vcpu.State.Mxcsr));

    /// <summary>LFENCE, SFENCE, MFENCE, PREFETCHx, whose operand is never touched and so never faults.</summary>
    public static Completion Nothing(Vcpu vcpu, in DecodedInstruction d) => Completion.Next;

    /// <summary>CLFLUSH faults as a byte load would (SDM 2A, CLFLUSH), and does no more.</summary>
    public static Completion Clflush(Vcpu vcpu, in DecodedInstruction d) =>
        SseMove.Ended(vcpu.TryAddress(in d, 1, write: false, out ulong linear) && vcpu.TryRead<byte>(linear, out _));
}
