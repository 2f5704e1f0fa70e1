using System;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation;
using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>Executes a <see cref="CaseRecord"/> with our handlers, in place.</summary>
internal sealed class CaseEngine
{
    private const ulong MemoryAddress = 0x2000;
    private const ulong CodeAddress = 0x1000;

    private readonly Vcpu _vcpu = new(0);

    public bool Run(CaseRecord record)
    {
        DecodedInstruction decoded = Decode(record.Code);
        if (decoded.Handler.IsNull) return false;
        Load(record);
        Completion completion = decoded.Handler.Invoke(_vcpu, in decoded);
        record.Signal = completion == Completion.Fault ? 100u + (uint)_vcpu.PendingException.Vector : 0;
        if (completion != Completion.Fault) Store(record);
        return true;
    }

    private static DecodedInstruction Decode(ReadOnlySpan<byte> code)
    {
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(code.ToArray()), CodeAddress);
        Instruction instruction = decoder.Decode();
        DecodedInstruction decoded = new()
        {
            Rip = CodeAddress,
            Length = (byte)instruction.Length,
            Code = (ushort)instruction.Code,
            Traits = InstructionTraits.Long,
            AddressSize = 8,
            Base = VcpuState.ZeroRegister,
            Index = VcpuState.ZeroRegister,
            Segment = SegmentIndex.Flat,
            Destination = Number(in instruction, 0),
            Source = Number(in instruction, 1),
            Third = Number(in instruction, 2),
        };
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Immediate8) decoded.Immediate = (ulong)(sbyte)instruction.Immediate8;
            if (instruction.GetOpKind(i) != OpKind.Memory) continue;
            decoded.Traits |= InstructionTraits.Memory;
            decoded.Base = (byte)(instruction.MemoryBase.GetNumber() * 8);
            decoded.OperandSize = (byte)instruction.MemorySize.GetSize();
        }

        if (!decoded.HasMemory && instruction.OpCount > 0)
        {
            for (int i = instruction.OpCount - 1; i >= 0; i--)
            {
                if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i).IsGPR())
                    decoded.OperandSize = (byte)instruction.GetOpRegister(i).GetSize();
            }
        }

        bool bound = X87Binder.TryBind(in instruction, ref decoded) || MmxBinder.TryBind(in instruction, ref decoded);
        if (!bound) decoded.Handler = default;
        return decoded;
    }

    private static byte Number(in Instruction instruction, int operand)
    {
        if (operand >= instruction.OpCount || instruction.GetOpKind(operand) != OpKind.Register) return 0;
        Register register = instruction.GetOpRegister(operand);
        int number = register.GetNumber();
        return (byte)(register.IsGPR() ? number * 8 : number);
    }

    private void Load(CaseRecord record)
    {
        ref VcpuState state = ref _vcpu.State;
        state = default;
        state.Cr4 = (1u << 9) | (1u << 10);
        state.Rax = record.Rax;
        state.Rdi = MemoryAddress;
        LoadFlags(ref state, record.Rflags);
        X87Control.SetControl(ref state, record.Control);
        state.X87Status = record.Status;
        state.X87Tags = record.Tags;
        X87Unit.UpdateErrorSummary(ref state);
        for (int i = 0; i < 8; i++)
        {
            Float80 value = record.GetSt(i);
            state.X87[(record.Top + i) & 7] = new X87Register { Significand = value.Significand, SignExponent = value.SignExponent };
        }

        state.Mxcsr = record.Mxcsr;
        for (int i = 0; i < 2; i++) state.XmmAs<byte>(i) = System.Runtime.Intrinsics.Vector128.Create(record.Xmm.Slice(16 * i, 16));
        for (int i = 0; i < record.Length; i++) _vcpu.TryWrite(CodeAddress + (uint)i, record.Code[i]);
        for (int i = 0; i < 32; i++) _vcpu.TryWrite(MemoryAddress + (uint)i, record.Memory[i]);
    }

    private void Store(CaseRecord record)
    {
        ref VcpuState state = ref _vcpu.State;
        record.Rax = state.Rax;
        record.Rflags = StoreFlags(ref state);
        record.Control = state.X87Control;
        record.Status = state.X87Status;
        record.Tags = state.X87Tags;
        for (int i = 0; i < 8; i++)
        {
            X87Register register = state.X87[(record.Top + i) & 7];
            record.SetSt(i, new Float80((ushort)register.SignExponent, register.Significand));
        }

        record.Mxcsr = state.Mxcsr;
        for (int i = 0; i < 2; i++) System.Runtime.Intrinsics.Vector128.CopyTo(state.XmmAs<byte>(i), record.Xmm.Slice(16 * i, 16));
        for (int i = 0; i < 32; i++)
        {
            _vcpu.TryRead(MemoryAddress + (uint)i, out byte value);
            record.Memory[i] = value;
        }
    }

    private static void LoadFlags(ref VcpuState state, ulong rflags)
    {
        bool carry = (rflags & 1) != 0, overflow = (rflags & 0x800) != 0;
        state.SystemFlags = 2;
        state.FlagsZero = (rflags & 0x40) != 0 ? 0u : 1u;
        state.FlagsSignParity = ((rflags & 0x80) << 56) | ((rflags & 4) != 0 ? 0u : 1u);
        state.FlagsCarries = (carry ? 1ul << 63 : 0) | (carry ^ overflow ? 1ul << 62 : 0);
        state.FlagsAdjust = rflags & 0x10;
    }

    private static ulong StoreFlags(ref VcpuState state)
    {
        ulong carry = state.FlagsCarries >> 63, overflow = carry ^ ((state.FlagsCarries >> 62) & 1);
        ulong parity = (ulong)(System.Numerics.BitOperations.PopCount(state.FlagsSignParity & 0xFF) & 1) ^ 1;
        return carry | (parity << 2) | (state.FlagsAdjust & 0x10) | (state.FlagsZero == 0 ? 0x40u : 0)
            | ((state.FlagsSignParity >> 63) << 7) | (overflow << 11);
    }
}
