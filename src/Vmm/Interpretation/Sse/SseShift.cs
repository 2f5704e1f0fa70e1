using System;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>A shift of every element by one count, which may be larger than the element.</summary>
internal interface IVectorShift
{
    static abstract Vector128<byte> Apply(Vector128<byte> value, ulong count);
}

internal readonly struct Psrlw : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        count > 15 ? default : (value.AsUInt16() >>> (int)count).AsByte();
}

internal readonly struct Psrld : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        count > 31 ? default : (value.AsUInt32() >>> (int)count).AsByte();
}

internal readonly struct Psrlq : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        count > 63 ? default : (value.AsUInt64() >>> (int)count).AsByte();
}

internal readonly struct Psllw : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        count > 15 ? default : (value.AsUInt16() << (int)count).AsByte();
}

internal readonly struct Pslld : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        count > 31 ? default : (value.AsUInt32() << (int)count).AsByte();
}

internal readonly struct Psllq : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        count > 63 ? default : (value.AsUInt64() << (int)count).AsByte();
}

internal readonly struct Psraw : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        (value.AsInt16() >> (int)Math.Min(count, 15)).AsByte();
}

internal readonly struct Psrad : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        (value.AsInt32() >> (int)Math.Min(count, 31)).AsByte();
}

internal readonly struct Pslldq : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        ByteShift.Left(value, (int)count);
}

internal readonly struct Psrldq : IVectorShift
{
    public static Vector128<byte> Apply(Vector128<byte> value, ulong count) =>
        ByteShift.Right(value, (int)count);
}

/// <summary>The shifts of packed integers.</summary>
internal static class SseShift
{
    /// <summary>PSLLW xmm, xmm/m128 and kin: the count is the low quadword of the source.</summary>
    public static Completion ByVector<TShift>(Vcpu vcpu, in DecodedInstruction d)
        where TShift : struct, IVectorShift
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        destination = TShift.Apply(destination, source.AsUInt64().GetElement(0));
        return Completion.Next;
    }

    /// <summary>PSLLW xmm, imm8 and kin.</summary>
    public static Completion ByImmediate<TShift>(Vcpu vcpu, in DecodedInstruction d)
        where TShift : struct, IVectorShift
    {
        if (!SseOperand.TryEnter(vcpu)) return Completion.Fault;
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        destination = TShift.Apply(destination, (byte)d.Immediate);
        return Completion.Next;
    }
}
