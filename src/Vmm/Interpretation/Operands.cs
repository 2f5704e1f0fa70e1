using System.Runtime.CompilerServices;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>Arithmetic on operands of type byte, ushort, uint or ulong, carried in zero-extended 64-bit values. Everything folds per type.</summary>
internal static class Width<T> where T : unmanaged
{
    public static int Bits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.SizeOf<T>() * 8;
    }

    public static ulong Mask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ulong.MaxValue >> (64 - Bits);
    }

    public static ulong SignBit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1UL << (Bits - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long SignExtend(ulong value) =>
        Unsafe.SizeOf<T>() switch { 1 => (sbyte)value, 2 => (short)value, 4 => (int)value, _ => (long)value };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ToUlong(T value) => Unsafe.SizeOf<T>() switch
    {
        1 => Unsafe.BitCast<T, byte>(value),
        2 => Unsafe.BitCast<T, ushort>(value),
        4 => Unsafe.BitCast<T, uint>(value),
        _ => Unsafe.BitCast<T, ulong>(value),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FromUlong(ulong value)
    {
        if (Unsafe.SizeOf<T>() == 1) return Unsafe.BitCast<byte, T>((byte)value);
        if (Unsafe.SizeOf<T>() == 2) return Unsafe.BitCast<ushort, T>((ushort)value);
        return Unsafe.SizeOf<T>() == 4 ? Unsafe.BitCast<uint, T>((uint)value) : Unsafe.BitCast<ulong, T>(value);
    }

    /// <summary>Writes a general register: 32-bit writes clear the upper half, narrower ones leave the rest (SDM 1 3.4.1.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteRegister(ref VcpuState s, int byteOffset, ulong value)
    {
        if (Unsafe.SizeOf<T>() == 4) s.Register<ulong>(byteOffset) = (uint)value;
        else s.Register<T>(byteOffset) = FromUlong(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadRegister(ref VcpuState s, int byteOffset) => ToUlong(s.Register<T>(byteOffset));
}

/// <summary>How a handler reaches an operand, chosen at decode time so that each combination compiles to straight code.</summary>
internal interface IOperand<T> where T : unmanaged
{
    static abstract bool TryRead(Vcpu c, in DecodedInstruction d, out ulong value);

    static abstract bool TryWrite(Vcpu c, in DecodedInstruction d, ulong value);

    /// <summary>First half of a read-modify-write; <paramref name="linear"/> and <paramref name="host"/> go to <see cref="EndUpdate"/>.</summary>
    static abstract bool TryBeginUpdate(Vcpu c, in DecodedInstruction d, out ulong value, out ulong linear, out nint host);

    static abstract void EndUpdate(Vcpu c, in DecodedInstruction d, ulong linear, nint host, ulong value);
}

/// <summary>The register of operand 0.</summary>
internal readonly struct DestinationRegister<T> : IOperand<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(Vcpu c, in DecodedInstruction d, out ulong value)
    {
        value = Width<T>.ReadRegister(ref c.State, d.Destination);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWrite(Vcpu c, in DecodedInstruction d, ulong value)
    {
        Width<T>.WriteRegister(ref c.State, d.Destination, value);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryBeginUpdate(Vcpu c, in DecodedInstruction d, out ulong value, out ulong linear, out nint host)
    {
        value = Width<T>.ReadRegister(ref c.State, d.Destination);
        linear = 0;
        host = 0;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EndUpdate(Vcpu c, in DecodedInstruction d, ulong linear, nint host, ulong value) =>
        Width<T>.WriteRegister(ref c.State, d.Destination, value);
}

/// <summary>The register of operand 1. It is only read.</summary>
internal readonly struct SourceRegister<T> : IOperand<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(Vcpu c, in DecodedInstruction d, out ulong value)
    {
        value = Width<T>.ReadRegister(ref c.State, d.Source);
        return true;
    }

    public static bool TryWrite(Vcpu c, in DecodedInstruction d, ulong value) => throw new InvariantException("operand 1 is not written");
    public static bool TryBeginUpdate(Vcpu c, in DecodedInstruction d, out ulong value, out ulong linear, out nint host) => throw new InvariantException("operand 1 is not written");
    public static void EndUpdate(Vcpu c, in DecodedInstruction d, ulong linear, nint host, ulong value) => throw new InvariantException("operand 1 is not written");
}

/// <summary>The immediate. It is only read.</summary>
internal readonly struct ImmediateOperand<T> : IOperand<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(Vcpu c, in DecodedInstruction d, out ulong value)
    {
        value = d.Immediate & Width<T>.Mask;
        return true;
    }

    public static bool TryWrite(Vcpu c, in DecodedInstruction d, ulong value) => throw new InvariantException("an immediate is not written");
    public static bool TryBeginUpdate(Vcpu c, in DecodedInstruction d, out ulong value, out ulong linear, out nint host) => throw new InvariantException("an immediate is not written");
    public static void EndUpdate(Vcpu c, in DecodedInstruction d, ulong linear, nint host, ulong value) => throw new InvariantException("an immediate is not written");
}

/// <summary>Memory in 64-bit mode with 64-bit addresses.</summary>
internal readonly struct FlatMemory<T> : IOperand<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(Vcpu c, in DecodedInstruction d, out ulong value)
    {
        bool ok = c.TryRead(c.FlatAddress(d), out T raw);
        value = Width<T>.ToUlong(raw);
        return ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWrite(Vcpu c, in DecodedInstruction d, ulong value) => c.TryWrite(c.FlatAddress(d), Width<T>.FromUlong(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryBeginUpdate(Vcpu c, in DecodedInstruction d, out ulong value, out ulong linear, out nint host)
    {
        linear = c.FlatAddress(d);
        bool ok = c.TryBeginUpdate(linear, out T raw, out host);
        value = Width<T>.ToUlong(raw);
        return ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EndUpdate(Vcpu c, in DecodedInstruction d, ulong linear, nint host, ulong value) =>
        c.EndUpdate(linear, host, Width<T>.FromUlong(value));
}

/// <summary>Memory through a segment with its checks: 16- and 32-bit code, and 32-bit addresses in 64-bit code.</summary>
internal readonly struct SegmentedMemory<T> : IOperand<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(Vcpu c, in DecodedInstruction d, out ulong value)
    {
        T raw = default;
        bool ok = c.TryAddress(d, Unsafe.SizeOf<T>(), false, out ulong linear) && c.TryRead(linear, out raw);
        value = Width<T>.ToUlong(raw);
        return ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWrite(Vcpu c, in DecodedInstruction d, ulong value) =>
        c.TryAddress(d, Unsafe.SizeOf<T>(), true, out ulong linear) && c.TryWrite(linear, Width<T>.FromUlong(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryBeginUpdate(Vcpu c, in DecodedInstruction d, out ulong value, out ulong linear, out nint host)
    {
        T raw = default;
        host = 0;
        bool ok = c.TryAddress(d, Unsafe.SizeOf<T>(), true, out linear) && c.TryBeginUpdate(linear, out raw, out host);
        value = Width<T>.ToUlong(raw);
        return ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EndUpdate(Vcpu c, in DecodedInstruction d, ulong linear, nint host, ulong value) =>
        c.EndUpdate(linear, host, Width<T>.FromUlong(value));
}
