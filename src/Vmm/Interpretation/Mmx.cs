using System.Numerics;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>The MMX instructions and the mm forms of SSE, SSE2 and SSSE3 instructions but for conversions (SDM 1 9.4, 10.4.4, 11.4.3, 12.6).</summary>
internal static class Mmx
{
    // ---- mm, mm/m64.

    public static Completion Binary<TOperation>(Vcpu vcpu, in DecodedInstruction d) where TOperation : IMmxOperation =>
        Apply<TOperation>(vcpu, in d, 8);

    /// <summary>PUNPCKLxx: a memory operand of 32 bits.</summary>
    public static Completion BinaryLow<TOperation>(Vcpu vcpu, in DecodedInstruction d) where TOperation : IMmxOperation =>
        Apply<TOperation>(vcpu, in d, 4);

    private static Completion Apply<TOperation>(Vcpu vcpu, in DecodedInstruction d, int sizeBytes) where TOperation : IMmxOperation
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!MmxUnit.TryReadSource(vcpu, in d, sizeBytes, out ulong source)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        MmxUnit.Enter(ref state);
        MmxUnit.Write(ref state, d.Destination, TOperation.Apply(MmxUnit.Read(ref state, d.Destination), source));
        return Completion.Next;
    }

    /// <summary>Shifts by an immediate count.</summary>
    public static Completion Shift<TOperation>(Vcpu vcpu, in DecodedInstruction d) where TOperation : IMmxOperation
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        MmxUnit.Enter(ref state);
        MmxUnit.Write(ref state, d.Destination, TOperation.Apply(MmxUnit.Read(ref state, d.Destination), d.Immediate & 0xFF));
        return Completion.Next;
    }

    public static Completion Pshufw_mm_mmm64_imm8(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!MmxUnit.TryReadSource(vcpu, in d, 8, out ulong source)) return Completion.Fault;
        ulong result = 0;
        for (int i = 0; i < 4; i++) result |= ((source >> (int)(((d.Immediate >> (2 * i)) & 3) * 16)) & 0xFFFF) << (16 * i);
        MmxUnit.Enter(ref vcpu.State);
        MmxUnit.Write(ref vcpu.State, d.Destination, result);
        return Completion.Next;
    }

    public static Completion Palignr_mm_mmm64_imm8(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!MmxUnit.TryReadSource(vcpu, in d, 8, out ulong source)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        ulong high = MmxUnit.Read(ref state, d.Destination);
        int shift = (byte)d.Immediate * 8;
        ulong result = shift switch
        {
            0 => source,
            < 64 => (source >> shift) | (high << (64 - shift)),
            < 128 => high >> (shift - 64),
            _ => 0,
        };
        MmxUnit.Enter(ref state);
        MmxUnit.Write(ref state, d.Destination, result);
        return Completion.Next;
    }

    // ---- MOVD and MOVQ.

    public static Completion Movd_mm_rm32(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ulong value;
        if (!d.HasMemory) value = vcpu.State.Register<uint>(d.Source);
        else if (!MmxUnit.TryReadSource(vcpu, in d, 4, out value)) return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        MmxUnit.Write(ref vcpu.State, d.Destination, value);
        return Completion.Next;
    }

    public static Completion Movq_mm_rm64(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ulong value;
        if (!d.HasMemory) value = vcpu.State.Register<ulong>(d.Source);
        else if (!MmxUnit.TryReadSource(vcpu, in d, 8, out value)) return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        MmxUnit.Write(ref vcpu.State, d.Destination, value);
        return Completion.Next;
    }

    public static Completion Movd_rm32_mm(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ulong value = MmxUnit.Read(ref vcpu.State, d.Source);
        if (!d.HasMemory)
            vcpu.State.Register<ulong>(d.Destination) = (uint)value;
        else if (!vcpu.TryAddress(in d, 4, true, out ulong linear) || !vcpu.TryWrite(linear, (uint)value))
            return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        return Completion.Next;
    }

    public static Completion Movq_rm64_mm(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ulong value = MmxUnit.Read(ref vcpu.State, d.Source);
        if (!d.HasMemory)
            vcpu.State.Register<ulong>(d.Destination) = value;
        else if (!vcpu.TryAddress(in d, 8, true, out ulong linear) || !vcpu.TryWrite(linear, value))
            return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        return Completion.Next;
    }

    public static Completion Movq_mm_mmm64(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!MmxUnit.TryReadSource(vcpu, in d, 8, out ulong value)) return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        MmxUnit.Write(ref vcpu.State, d.Destination, value);
        return Completion.Next;
    }

    /// <summary>MOVQ mm/m64, mm; MOVNTQ too, whose hint has no effect here.</summary>
    public static Completion Movq_mmm64_mm(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        ulong value = MmxUnit.Read(ref state, d.Source);
        if (!d.HasMemory)
            MmxUnit.Write(ref state, d.Destination, value);
        else if (!vcpu.TryAddress(in d, 8, true, out ulong linear) || !vcpu.TryWrite(linear, value))
            return Completion.Fault;
        MmxUnit.Enter(ref state);
        return Completion.Next;
    }

    public static Completion Movdq2q_mm_xmm(Vcpu vcpu, in DecodedInstruction d)
    {
        if (ExtendedState.IsSseUnavailable(vcpu, out Completion fault) || X87Unit.HasPendingException(vcpu, out fault)) return fault;
        MmxUnit.Enter(ref vcpu.State);
        MmxUnit.Write(ref vcpu.State, d.Destination, vcpu.State.XmmAs<ulong>(d.Source).ToScalar());
        return Completion.Next;
    }

    public static Completion Movq2dq_xmm_mm(Vcpu vcpu, in DecodedInstruction d)
    {
        if (ExtendedState.IsSseUnavailable(vcpu, out Completion fault) || X87Unit.HasPendingException(vcpu, out fault)) return fault;
        MmxUnit.Enter(ref vcpu.State);
        vcpu.State.XmmAs<ulong>(d.Destination) = Vector128.CreateScalar(MmxUnit.Read(ref vcpu.State, d.Source));
        return Completion.Next;
    }

    // ---- Single elements, masks.

    public static Completion Pinsrw(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ushort value;
        if (!d.HasMemory) value = vcpu.State.Register<ushort>(d.Source);
        else if (!vcpu.TryAddress(in d, 2, false, out ulong linear) || !vcpu.TryRead(linear, out value)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        int shift = (int)(d.Immediate & 3) * 16;
        MmxUnit.Enter(ref state);
        MmxUnit.Write(ref state, d.Destination, (MmxUnit.Read(ref state, d.Destination) & ~(0xFFFFul << shift)) | ((ulong)value << shift));
        return Completion.Next;
    }

    public static Completion Pextrw(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        MmxUnit.Enter(ref state);
        state.Register<ulong>(d.Destination) = (MmxUnit.Read(ref state, d.Source) >> ((int)(d.Immediate & 3) * 16)) & 0xFFFF;
        return Completion.Next;
    }

    public static Completion Pmovmskb(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        MmxUnit.Enter(ref state);
        state.Register<ulong>(d.Destination) = Vector128.CreateScalar(MmxUnit.Read(ref state, d.Source)).AsByte().ExtractMostSignificantBits();
        return Completion.Next;
    }

    /// <summary>MASKMOVQ: bytes whose mask byte has its top bit set, to DS:rDI, which the binder made the memory operand.</summary>
    public static Completion Maskmovq_rDI_mm_mm(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        ulong value = MmxUnit.Read(ref state, d.Source);
        uint mask = Vector128.CreateScalar(MmxUnit.Read(ref state, d.Third)).AsByte().ExtractMostSignificantBits() & 0xFF;
        if (mask != 0)
        {
            // With a mask of zero there is no access and no fault. Otherwise the span of the bytes written must be writable.
            if (!vcpu.TryAddress(in d, 8, true, out ulong linear)) return Completion.Fault;
            int first = BitOperations.TrailingZeroCount(mask), last = BitOperations.Log2(mask);
            if (!vcpu.TryProbeWrite(linear + (uint)first, last - first + 1)) return Completion.Fault;
            for (int i = first; i <= last; i++)
            {
                if ((mask & (1u << i)) != 0 && !vcpu.TryWrite(linear + (uint)i, (byte)(value >> (8 * i)))) return Completion.Fault;
            }
        }

        MmxUnit.Enter(ref state);
        return Completion.Next;
    }

    /// <summary>All registers empty again, for x87 code; the top of stack is 0 (SDM 3A table 12-1).</summary>
    public static Completion Emms(Vcpu vcpu, in DecodedInstruction d)
    {
        if (MmxUnit.IsBlocked(vcpu, out Completion fault)) return fault;
        MmxUnit.Enter(ref vcpu.State);
        vcpu.State.X87Tags = 0;
        return Completion.Next;
    }
}
