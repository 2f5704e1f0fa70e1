using System;
using System.Buffers.Binary;

namespace Symbols.Dwarf.Indexing;

/// <summary>Bytes that grow.</summary>
internal sealed class ByteWriter(int capacity = 64)
{
    private byte[] _bytes = new byte[capacity];

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    internal ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    internal void U8(byte value) => Reserve(1)[0] = value;

    internal void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    internal void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>Unsigned LEB128.</summary>
    internal void Uleb(ulong value) => Advance(Uleb(Room(10), value));

    /// <summary>A signed number as an unsigned one: small ones stay small.</summary>
    internal void Zigzag(long value) => Advance(Zigzag(Room(10), value));

    /// <summary>Writes an unsigned LEB128 of at most 10 bytes; how many it takes.</summary>
    internal static int Uleb(Span<byte> bytes, ulong value)
    {
        int count = 0;
        while (value >= 0x80)
        {
            bytes[count++] = (byte)(value | 0x80);
            value >>= 7;
        }
        bytes[count] = (byte)value;
        return count + 1;
    }

    internal static int Zigzag(Span<byte> bytes, long value) => Uleb(bytes, (ulong)(value << 1) ^ (ulong)(value >> 63));

    /// <summary>Room for so many bytes, of which <see cref="Advance"/> says how many were written.</summary>
    internal Span<byte> Room(int count)
    {
        if (_bytes.Length - Length < count) Array.Resize(ref _bytes, checked((int)Math.Max((long)Length + count, Math.Min(Array.MaxLength, _bytes.Length * 2L))));
        return _bytes.AsSpan(Length, count);
    }

    internal void Advance(int count) => Length += count;

    internal void Clear() => Length = 0;

    private Span<byte> Reserve(int count)
    {
        Span<byte> room = Room(count);
        Length += count;
        return room;
    }
}
