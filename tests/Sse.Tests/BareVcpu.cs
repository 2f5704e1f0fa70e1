using System;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.Sse;

namespace Sse.Tests;

/// <summary>A vCPU on which single instructions with register operands are executed by their handlers.</summary>
internal sealed class BareVcpu
{
    public Vcpu Vcpu { get; }

    public BareVcpu()
        : this(Create())
    {
    }

    public BareVcpu(Vcpu vcpu)
    {
        Vcpu = vcpu;
        Vcpu.State.Cr0 = 1;
        Vcpu.State.Cr4 = 1 << 9 | 1 << 10;
    }

    /// <summary>A vCPU as after reset, without memory.</summary>
    public static Vcpu Create() => new(0, null!);

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
                    decoded.Base = (byte)(instruction.MemoryBase.GetNumber() * 8);
                    decoded.Index = VcpuState.ZeroRegister;
                    decoded.Segment = SegmentIndex.Flat;
                    decoded.AddressSize = 8;
                    break;
                case OpKind.MemorySegRDI:
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
        state.WriteArithmeticFlags(hostCase.Rflags);

        Completion completion = decoded.Handler.Invoke(Vcpu, in decoded);

        for (int i = 0; i < 4; i++) hostCase.Xmm[i] = state.XmmAs<byte>(i);
        (hostCase.Rax, hostCase.Rcx, hostCase.Rdx, hostCase.Mxcsr) = (state.Rax, state.Rcx, state.Rdx, state.Mxcsr);
        hostCase.Rflags = state.ReadRFlags() & RFlags.Arithmetic;
        hostCase.Faulted = completion == Completion.Next ? 0u : Vcpu.PendingException.Vector switch
        {
            Vmm.Cpu.Vector.SimdFloatingPoint => 1,
            Vmm.Cpu.Vector.GeneralProtection => 2,
            _ => throw new InvalidOperationException($"unexpected {Vcpu.PendingException}"),
        };
    }
}
