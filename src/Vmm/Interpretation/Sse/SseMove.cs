using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>Moves between XMM registers, memory and general registers. Non-temporal ones are plain: there is no cache to bypass.</summary>
internal static class SseMove
{
    /// <summary>MOVAPS, MOVAPD, MOVDQA, MOVNTDQA: load.</summary>
    public static Completion LoadAligned(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = source;
        return Completion.Next;
    }

    /// <summary>MOVUPS, MOVUPD, MOVDQU, LDDQU: load.</summary>
    public static Completion LoadUnaligned(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadVectorUnaligned(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = source;
        return Completion.Next;
    }

    /// <summary>MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ: store.</summary>
    public static Completion StoreAligned(Vcpu vcpu, in DecodedInstruction d)
    {
        Vector128<byte> source = vcpu.State.XmmAs<byte>(d.Source);
        if (d.HasMemory) return Ended(SseOperand.TryWriteAligned(vcpu, in d, source));
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = source;
        return Completion.Next;
    }

    /// <summary>MOVUPS, MOVUPD, MOVDQU: store.</summary>
    public static Completion StoreUnaligned(Vcpu vcpu, in DecodedInstruction d)
    {
        Vector128<byte> source = vcpu.State.XmmAs<byte>(d.Source);
        if (d.HasMemory) return Ended(SseOperand.TryWriteMemory(vcpu, in d, source));
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = source;
        return Completion.Next;
    }

    /// <summary>MOVSS (uint) and MOVSD (ulong): load. From memory the rest is zeroed, from a register it stays.</summary>
    public static Completion LoadScalar<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (d.HasMemory) return LoadZeroExtended<T>(vcpu, in d);
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        Low<T>(vcpu, d.Destination) = Low<T>(vcpu, d.Source);
        return Completion.Next;
    }

    /// <summary>MOVSS and MOVSD: store. Between registers the rest of the destination stays.</summary>
    public static Completion StoreScalar<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (d.HasMemory) return StoreLow<T>(vcpu, in d);
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        Low<T>(vcpu, d.Destination) = Low<T>(vcpu, d.Source);
        return Completion.Next;
    }

    /// <summary>MOVQ xmm, xmm/m64: the rest is zeroed from either.</summary>
    public static Completion LoadZeroExtended<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (!SseOperand.TryReadLow(vcpu, in d, out T source)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = default;
        Low<T>(vcpu, d.Destination) = source;
        return Completion.Next;
    }

    /// <summary>MOVQ xmm/m64, xmm.</summary>
    public static Completion Movq_xmmm64_xmm(Vcpu vcpu, in DecodedInstruction d) =>
        d.HasMemory ? StoreLow<ulong>(vcpu, in d) : LoadZeroExtended<ulong>(vcpu, in d);

    /// <summary>MOVD xmm, r/m32 and MOVQ xmm, r/m64.</summary>
    public static Completion FromGeneral<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (!SseOperand.TryReadGeneral(vcpu, in d, out T source)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = default;
        Low<T>(vcpu, d.Destination) = source;
        return Completion.Next;
    }

    /// <summary>MOVD r/m32, xmm and MOVQ r/m64, xmm.</summary>
    public static Completion ToGeneral<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        if (d.HasMemory) return StoreLow<T>(vcpu, in d);
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        ulong low = vcpu.State.XmmAs<ulong>(d.Source).GetElement(0);
        vcpu.State.Register<ulong>(d.Destination) = Unsafe.SizeOf<T>() == 4 ? (uint)low : low;
        return Completion.Next;
    }

    /// <summary>MOVLPS, MOVLPD: load the low half.</summary>
    public static Completion LoadLowHalf(Vcpu vcpu, in DecodedInstruction d) => LoadHalf(vcpu, in d, 0);

    /// <summary>MOVHPS, MOVHPD: load the high half.</summary>
    public static Completion LoadHighHalf(Vcpu vcpu, in DecodedInstruction d) => LoadHalf(vcpu, in d, 1);

    /// <summary>MOVLPS, MOVLPD, and the memory forms of MOVSS, MOVSD, MOVD, MOVQ: store the low T.</summary>
    public static Completion StoreLow<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged => Ended(SseOperand.TryWriteMemory(vcpu, in d, Low<T>(vcpu, d.Source)));

    /// <summary>MOVHPS, MOVHPD: store the high half.</summary>
    public static Completion StoreHighHalf(Vcpu vcpu, in DecodedInstruction d) =>
        Ended(SseOperand.TryWriteMemory(vcpu, in d, vcpu.State.XmmAs<ulong>(d.Source).GetElement(1)));

    public static Completion Movhlps(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        ref Vector128<ulong> destination = ref vcpu.State.XmmAs<ulong>(d.Destination);
        destination = destination.WithElement(0, vcpu.State.XmmAs<ulong>(d.Source).GetElement(1));
        return Completion.Next;
    }

    public static Completion Movlhps(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        ref Vector128<ulong> destination = ref vcpu.State.XmmAs<ulong>(d.Destination);
        destination = destination.WithElement(1, vcpu.State.XmmAs<ulong>(d.Source).GetElement(0));
        return Completion.Next;
    }

    /// <summary>MOVNTI: a store of a general register, which neither CR0.TS nor CR4.OSFXSR stops (SDM 2B, MOVNTI).</summary>
    public static Completion Movnti<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged =>
        Ended(vcpu.TryAddress(in d, Unsafe.SizeOf<T>(), write: true, out ulong linear)
            && vcpu.TryWrite(linear, vcpu.State.Register<T>(d.Source)));

    /// <summary>MASKMOVDQU: the bytes whose mask byte is negative, to [rDI]. Bytes not selected are neither written nor checked.</summary>
    public static Completion Maskmovdqu(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        Vector128<byte> source = vcpu.State.XmmAs<byte>(d.Source);
        uint mask = vcpu.State.XmmAs<byte>(d.Third).ExtractMostSignificantBits();
        if (mask == 0) return Completion.Next;
        if (!vcpu.TryAddress(in d, 16, write: true, out ulong linear)) return Completion.Fault;
        for (int i = 0; i < 16; i++)
        {
            if ((mask >> i & 1) != 0 && !vcpu.TryProbeWrite(linear + (uint)i, 1)) return Completion.Fault;
        }

        for (int i = 0; i < 16; i++)
        {
            if ((mask >> i & 1) != 0 && !vcpu.TryWrite(linear + (uint)i, source.GetElement(i))) return Completion.Fault;
        }

        return Completion.Next;
    }

    public static Completion Ended(bool completed) => completed ? Completion.Next : Completion.Fault;

    private static Completion LoadHalf(Vcpu vcpu, in DecodedInstruction d, int half)
    {
        if (!SseOperand.TryReadMemory(vcpu, in d, out ulong source)) return Completion.Fault;
        ref Vector128<ulong> destination = ref vcpu.State.XmmAs<ulong>(d.Destination);
        destination = destination.WithElement(half, source);
        return Completion.Next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T Low<T>(Vcpu vcpu, int register)
        where T : unmanaged => ref Unsafe.As<Vector128<byte>, T>(ref vcpu.State.XmmAs<byte>(register));
}
