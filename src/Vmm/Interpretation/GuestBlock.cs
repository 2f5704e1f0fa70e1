using System;
using System.Buffers.Binary;
using Vmm.Cpu;

namespace Vmm.Interpretation;

/// <summary>Memory operands of more than eight bytes: read whole before anything changes, and written whole or not at all.</summary>
internal static class GuestBlock
{
    /// <summary>False: a fault is pending.</summary>
    public static bool TryRead(Vcpu vcpu, ulong linear, Span<byte> bytes)
    {
        int i = 0;
        for (; i + 8 <= bytes.Length; i += 8)
        {
            if (!vcpu.TryRead(linear + (uint)i, out ulong eight)) return false;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[i..], eight);
        }

        for (; i + 2 <= bytes.Length; i += 2)
        {
            if (!vcpu.TryRead(linear + (uint)i, out ushort two)) return false;
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[i..], two);
        }

        return true;
    }

    /// <summary>False: a fault is pending and nothing was written.</summary>
    public static bool TryWrite(Vcpu vcpu, ulong linear, ReadOnlySpan<byte> bytes)
    {
        if (!vcpu.TryProbeWrite(linear, bytes.Length)) return false;
        int i = 0;
        for (; i + 8 <= bytes.Length; i += 8)
        {
            if (!vcpu.TryWrite(linear + (uint)i, BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]))) return false;
        }

        for (; i + 2 <= bytes.Length; i += 2)
        {
            if (!vcpu.TryWrite(linear + (uint)i, BinaryPrimitives.ReadUInt16LittleEndian(bytes[i..]))) return false;
        }

        return true;
    }
}
