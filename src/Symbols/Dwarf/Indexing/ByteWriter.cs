using System;
using System.Buffers.Binary;

namespace Symbols.Dwarf.Indexing;

/// <summary>Bytes that grow.</summary>
internal sealed class ByteWriter(int capacity = 64)
{
    private byte[] _bytes = new byte[capacity];

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    internal void U8(byte value) => Reserve(1)[0] = value;

    internal void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    internal void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>Unsigned LEB128.</summary>
    internal void Uleb(ulong value)
    {
        while (value >= 0x80)
        {
            U8((byte)(value | 0x80));
            value >>= 7;
        }
        U8((byte)value);
    }

    /// <summary>A signed number as an unsigned one: small ones stay small.</summary>
    internal void Zigzag(long value) => Uleb((ulong)(value << 1) ^ (ulong)(value >> 63));

    internal void Align(int size)
    {
        while (Length % size != 0) U8(0);
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Length < count) Array.Resize(ref _bytes, checked((int)Math.Max((long)Length + count, Math.Min(Array.MaxLength, _bytes.Length * 2L))));
        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }
}
