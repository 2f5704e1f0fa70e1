using System;
using System.Buffers;

namespace Replay.Log;

/// <summary>Unsigned integers in base 128, low digit first, bit 7 set in all bytes but the last (as in DWARF's ULEB128).</summary>
internal static class VarInt
{
    public static void Write(ArrayBufferWriter<byte> destination, ulong value)
    {
        Span<byte> bytes = destination.GetSpan(10);
        int count = 0;
        while (value >= 0x80)
        {
            bytes[count++] = (byte)(value | 0x80);
            value >>= 7;
        }
        bytes[count++] = (byte)value;
        destination.Advance(count);
    }

    /// <summary>0, -1, 1, -2, ... as 0, 1, 2, 3, ...</summary>
    public static ulong ZigZag(long value) => (ulong)(value << 1) ^ (ulong)(value >> 63);
    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
}

/// <summary>Reads what <see cref="VarInt"/> wrote; false at the end or on an impossible value.</summary>
internal ref struct VarIntReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>Bytes that are left.</summary>
    public readonly int Length => _rest.Length;

    public bool TryRead(out ulong value)
    {
        value = 0;
        for (int i = 0, shift = 0; i < _rest.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(_rest[i] & 0x7F) << shift;
            if ((_rest[i] & 0x80) != 0) continue;
            _rest = _rest[(i + 1)..];
            return true;
        }
        return false;
    }

    public bool TryTake(int count, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (count > _rest.Length) return false;
        taken = _rest[..count];
        _rest = _rest[count..];
        return true;
    }
}
