using System;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.Sse;

namespace Sse.Tests;

/// <summary>A vCPU on which single instructions with register operands are executed by their handlers.</summary>
internal sealed class BareVcpu
{
    public Vcpu Vcpu { get; } = Create();

    public BareVcpu()
    {
        Vcpu.State.Cr0 = 1;
        Vcpu.State.Cr4 = 1 << 9 | 1 << 10;
    }

    /// <summary>A vCPU as after reset, without memory.</summary>
    public static Vcpu Create() => new(0);

    /// <summary>Fills the generic fields as the decoder does and binds the handler.</summary>
    public static bool TryDecode(in Instruction instruction, out DecodedInstruction decoded)
    {
        decoded = default;
        decoded.Traits = InstructionTraits.Long;
        decoded.Code = (ushort)instruction.Code;
        decoded.Length = (byte)instruction.Length;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            switch (instruction.GetOpKind(i))
            {
                case OpKind.Register:
                    Register register = instruction.GetOpRegister(i);
                    byte number = (byte)(register.IsGPR() ? register.GetFullRegister().GetNumber() * 8 : register.GetNumber());
                    if (i == 0) decoded.Destination = number;
                    else if (i == 1) decoded.Source = number;
                    else decoded.Third = number;
                    break;
                case OpKind.Immediate8:
                    decoded.Immediate = (ulong)(sbyte)instruction.Immediate8;
                    break;
                case OpKind.Memory:
                    decoded.Traits |= InstructionTraits.Memory;
                    break;
                default:
                    throw new InvalidOperationException($"unexpected operand of {instruction}");
            }
        }

        return SseBinder.TryBind(in instruction, ref decoded);
    }

    /// <summary>Executes one case as the host does, and replaces it by its outcome.</summary>
    public void Execute(in DecodedInstruction decoded, ref HostCase hostCase)
    {
        ref VcpuState state = ref Vcpu.State;
        for (int i = 0; i < 4; i++) state.XmmAs<byte>(i) = hostCase.Xmm[i];
        (state.Rax, state.Rcx, state.Rdx, state.Mxcsr) = (hostCase.Rax, hostCase.Rcx, hostCase.Rdx, hostCase.Mxcsr);
        ulong f = hostCase.Rflags;
        SseFlags.Set(ref state, (f & 1) != 0, (f & 4) != 0, (f & 0x40) != 0, (f & 0x80) != 0, (f & 0x800) != 0);
        state.FlagsAdjust = f & 0x10;

        Completion completion = decoded.Handler.Invoke(Vcpu, in decoded);

        for (int i = 0; i < 4; i++) hostCase.Xmm[i] = state.XmmAs<byte>(i);
        (hostCase.Rax, hostCase.Rcx, hostCase.Rdx, hostCase.Mxcsr) = (state.Rax, state.Rcx, state.Rdx, state.Mxcsr);
        hostCase.Rflags = ArithmeticFlags(in state);
        hostCase.Faulted = completion == Completion.Next ? 0u : 1;
        if (completion != Completion.Next && Vcpu.PendingException.Vector != Vmm.Cpu.Vector.SimdFloatingPoint)
            throw new InvalidOperationException($"unexpected {Vcpu.PendingException}");
    }

    private static ulong ArithmeticFlags(in VcpuState state)
    {
        ulong flags = state.FlagsCarries >> 63;
        if ((System.Numerics.BitOperations.PopCount(state.FlagsSignParity & 0xFF) & 1) == 0) flags |= 4;
        flags |= state.FlagsAdjust & 0x10;
        if (state.FlagsZero == 0) flags |= 0x40;
        flags |= state.FlagsSignParity >> 63 << 7;
        flags |= ((state.FlagsCarries >> 63) ^ (state.FlagsCarries >> 62 & 1)) << 11;
        return flags;
    }
}
