using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>An operation on two XMM values, the destination's first. Operations on the source alone do not look at the first.</summary>
internal interface IVectorOperation
{
    static abstract Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b);
}

/// <summary>An operation on two XMM values and an immediate byte.</summary>
internal interface IVectorImmediateOperation
{
    static abstract Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate);
}

/// <summary>Packed integer instructions; which one is the type argument. CRC32 and masks of signs, too.</summary>
internal static class SseInteger
{
    /// <summary>PADDB xmm, xmm/m128 and all of its form.</summary>
    public static Completion Packed<TOperation>(Vcpu vcpu, in DecodedInstruction d)
        where TOperation : struct, IVectorOperation
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        destination = TOperation.Apply(destination, source);
        return Completion.Next;
    }

    /// <summary>PSHUFD xmm, xmm/m128, imm8 and all of its form.</summary>
    public static Completion PackedImmediate<TOperation>(Vcpu vcpu, in DecodedInstruction d)
        where TOperation : struct, IVectorImmediateOperation
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        destination = TOperation.Apply(destination, source, (byte)d.Immediate);
        return Completion.Next;
    }

    /// <summary>PMOVSXBW xmm, xmm/m64 and all whose memory operand is a T narrower than the register.</summary>
    public static Completion Narrow<TOperation, T>(Vcpu vcpu, in DecodedInstruction d)
        where TOperation : struct, IVectorOperation
        where T : unmanaged
    {
        if (!SseOperand.TryReadLow(vcpu, in d, out T low)) return Completion.Fault;
        Vector128<byte> source = default;
        Unsafe.As<Vector128<byte>, T>(ref source) = low;
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        destination = TOperation.Apply(destination, source);
        return Completion.Next;
    }

    public static Completion Pmovmskb(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        vcpu.State.Register<ulong>(d.Destination) = vcpu.State.XmmAs<byte>(d.Source).ExtractMostSignificantBits();
        return Completion.Next;
    }

    public static Completion Movmskps(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        vcpu.State.Register<ulong>(d.Destination) = vcpu.State.XmmAs<uint>(d.Source).ExtractMostSignificantBits();
        return Completion.Next;
    }

    public static Completion Movmskpd(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        vcpu.State.Register<ulong>(d.Destination) = vcpu.State.XmmAs<ulong>(d.Source).ExtractMostSignificantBits();
        return Completion.Next;
    }

    /// <summary>CRC32 r, r/m8..64, on general registers only, so that CR0 and CR4 do not matter (SDM 2A, CRC32).</summary>
    public static Completion Crc32<T>(Vcpu vcpu, in DecodedInstruction d)
        where T : unmanaged
    {
        T source;
        if (!d.HasMemory)
        {
            source = vcpu.State.Register<T>(d.Source);
        }
        else if (!vcpu.TryAddress(in d, Unsafe.SizeOf<T>(), write: false, out ulong linear) || !vcpu.TryRead(linear, out source))
        {
            return Completion.Fault;
        }

        uint crc = vcpu.State.Register<uint>(d.Destination);
        vcpu.State.Register<ulong>(d.Destination) = Unsafe.SizeOf<T>() switch
        {
            1 => BitOperations.Crc32C(crc, Unsafe.BitCast<T, byte>(source)),
            2 => BitOperations.Crc32C(crc, Unsafe.BitCast<T, ushort>(source)),
            4 => BitOperations.Crc32C(crc, Unsafe.BitCast<T, uint>(source)),
            _ => BitOperations.Crc32C(crc, Unsafe.BitCast<T, ulong>(source)),
        };
        return Completion.Next;
    }
}
