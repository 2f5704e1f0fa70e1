using System.Runtime.CompilerServices;

namespace Vmm.Cpu;

/// <summary>
/// Pushes and pops with the stack-address size of the mode: RSP in 64-bit mode, else ESP or SP as SS.B says (SDM 3A 5.3.1, 1 6.2.3). RSP moves
/// only when the access succeeded.
/// </summary>
internal static class Stack
{
    /// <summary>Mask of the stack pointer.</summary>
    public static ulong PointerMask(Vcpu c)
    {
        if (c.Is64BitCode) return ulong.MaxValue;
        return c.State.Segment(SegmentIndex.Ss).IsDefault32 ? 0xFFFF_FFFF : 0xFFFFUL;
    }

    public static void SetPointer(Vcpu c, ulong value, ulong mask)
    {
        ref ulong rsp = ref c.State.Rsp;
        rsp = mask == 0xFFFF ? (rsp & ~0xFFFFUL) | (value & 0xFFFF) : value & mask;
    }

    public static bool TryPush(Vcpu c, int sizeBytes, ulong value)
    {
        ulong mask = PointerMask(c), pointer = (c.State.Rsp - (ulong)sizeBytes) & mask;
        if (!TryWriteAt(c, pointer, sizeBytes, value)) return false;
        SetPointer(c, pointer, mask);
        return true;
    }

    public static bool TryPop(Vcpu c, int sizeBytes, out ulong value)
    {
        ulong mask = PointerMask(c);
        if (!TryPeek(c, 0, sizeBytes, out value)) return false;
        SetPointer(c, c.State.Rsp + (ulong)sizeBytes, mask);
        return true;
    }

    /// <summary>Reads the stack <paramref name="offset"/> bytes above the pointer, which stays.</summary>
    public static bool TryPeek(Vcpu c, int offset, int sizeBytes, out ulong value)
    {
        ulong pointer = (c.State.Rsp + (ulong)offset) & PointerMask(c);
        if (c.TrySegment(SegmentIndex.Ss, pointer, sizeBytes, false, c.Is64BitCode, out ulong linear))
            return TryReadSized(c, linear, sizeBytes, out value);
        value = 0;
        return false;
    }

    public static bool TryWriteAt(Vcpu c, ulong pointer, int sizeBytes, ulong value) =>
        c.TrySegment(SegmentIndex.Ss, pointer, sizeBytes, true, c.Is64BitCode, out ulong linear) && TryWriteSized(c, linear, sizeBytes, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadSized(Vcpu c, ulong linear, int sizeBytes, out ulong value)
    {
        bool ok;
        switch (sizeBytes)
        {
            case 1:
                ok = c.TryRead(linear, out byte b);
                value = b;
                return ok;
            case 2:
                ok = c.TryRead(linear, out ushort w);
                value = w;
                return ok;
            case 4:
                ok = c.TryRead(linear, out uint d);
                value = d;
                return ok;
            default:
                return c.TryRead(linear, out value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryWriteSized(Vcpu c, ulong linear, int sizeBytes, ulong value) => sizeBytes switch
    {
        1 => c.TryWrite(linear, (byte)value),
        2 => c.TryWrite(linear, (ushort)value),
        4 => c.TryWrite(linear, (uint)value),
        _ => c.TryWrite(linear, value),
    };
}
