using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>
/// Operands of SSE instructions. Every method checks first that SSE may be used at all, and returns false with a fault pending when the
/// operand cannot be had.
/// </summary>
internal static class SseOperand
{
    private const ulong Cr0EmulationOrTaskSwitched = 1 << 2 | 1 << 3;
    private const ulong Cr4OsFxsr = 1 << 9;

    /// <summary>#UD with CR0.EM or without CR4.OSFXSR, else #NM with CR0.TS (SDM 3A 13.1.3 and 13.1.4).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryEnter(Vcpu vcpu) =>
        ((vcpu.State.Cr0 & Cr0EmulationOrTaskSwitched) | (~vcpu.State.Cr4 & Cr4OsFxsr)) == 0 || RefuseEntry(vcpu);

    /// <summary>The second operand of an instruction whose 128-bit memory operand must be aligned (SDM 1 4.1.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadVector(Vcpu vcpu, in DecodedInstruction d, out Vector128<byte> value)
    {
        if (d.HasMemory) return TryReadAligned(vcpu, in d, out value);
        value = vcpu.State.XmmAs<byte>(d.Source);
        return TryEnter(vcpu);
    }

    /// <summary>The second operand of one of the few instructions whose 128-bit memory operand may be anywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadVectorUnaligned(Vcpu vcpu, in DecodedInstruction d, out Vector128<byte> value) =>
        TryReadLow(vcpu, in d, out value);

    /// <summary>The second operand: memory of the size of T, or the low bits of an XMM register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadLow<T>(Vcpu vcpu, in DecodedInstruction d, out T value)
        where T : unmanaged
    {
        if (d.HasMemory) return TryReadMemory(vcpu, in d, out value);
        value = Unsafe.As<Vector128<byte>, T>(ref vcpu.State.XmmAs<byte>(d.Source));
        return TryEnter(vcpu);
    }

    /// <summary>The second operand: memory of the size of T, or a general register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadGeneral<T>(Vcpu vcpu, in DecodedInstruction d, out T value)
        where T : unmanaged
    {
        if (d.HasMemory) return TryReadMemory(vcpu, in d, out value);
        value = vcpu.State.Register<T>(d.Source);
        return TryEnter(vcpu);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadMemory<T>(Vcpu vcpu, in DecodedInstruction d, out T value)
        where T : unmanaged
    {
        Unsafe.SkipInit(out value);
        return TryEnter(vcpu) && vcpu.TryAddress(in d, Unsafe.SizeOf<T>(), write: false, out ulong linear)
            && vcpu.TryRead(linear, out value);
    }

    public static bool TryReadAligned(Vcpu vcpu, in DecodedInstruction d, out Vector128<byte> value)
    {
        value = default;
        return TryEnter(vcpu) && vcpu.TryAddress(in d, 16, write: false, out ulong linear) && IsAligned(vcpu, linear)
            && vcpu.TryRead(linear, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWriteMemory<T>(Vcpu vcpu, in DecodedInstruction d, T value)
        where T : unmanaged =>
        TryEnter(vcpu) && vcpu.TryAddress(in d, Unsafe.SizeOf<T>(), write: true, out ulong linear) && vcpu.TryWrite(linear, value);

    public static bool TryWriteAligned(Vcpu vcpu, in DecodedInstruction d, Vector128<byte> value) =>
        TryEnter(vcpu) && vcpu.TryAddress(in d, 16, write: true, out ulong linear) && IsAligned(vcpu, linear)
        && vcpu.TryWrite(linear, value);

    private static bool IsAligned(Vcpu vcpu, ulong linear)
    {
        if ((linear & 15) == 0) return true;
        vcpu.GeneralProtection();
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool RefuseEntry(Vcpu vcpu)
    {
        bool undefined = (vcpu.State.Cr0 & (1 << 2)) != 0 || (vcpu.State.Cr4 & Cr4OsFxsr) == 0;
        vcpu.Fault(undefined ? Vector.InvalidOpcode : Vector.DeviceNotAvailable);
        return false;
    }
}
