using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Vmm.Platform.Firmware;

/// <summary>A growing little-endian byte string: what firmware tables are written into, field after field.</summary>
internal sealed class TableBuilder
{
    private readonly List<byte> _bytes = [];

    public int SizeBytes => _bytes.Count;

    public TableBuilder U8(byte value)
    {
        _bytes.Add(value);
        return this;
    }

    public TableBuilder U16(ushort value) => U8((byte)value).U8((byte)(value >> 8));
    public TableBuilder U32(uint value) => U16((ushort)value).U16((ushort)(value >> 16));
    public TableBuilder U64(ulong value) => U32((uint)value).U32((uint)(value >> 32));

    public TableBuilder Bytes(ReadOnlySpan<byte> value)
    {
        _bytes.AddRange(value);
        return this;
    }

    public TableBuilder Zeros(int count)
    {
        for (int i = 0; i < count; i++) _bytes.Add(0);
        return this;
    }

    /// <summary>ASCII text, padded or cut to <paramref name="sizeBytes"/>.</summary>
    public TableBuilder Text(string value, int sizeBytes, char padding = ' ') =>
        Bytes(Encoding.ASCII.GetBytes(value.PadRight(sizeBytes, padding)[..sizeBytes]));

    public TableBuilder AlignTo(int alignment) => Zeros((alignment - SizeBytes % alignment) % alignment);

    public byte[] ToArray() => [.. _bytes];

    /// <summary>
    /// Makes the bytes of <paramref name="range"/> sum to zero modulo 256, by the byte at <paramref name="checksumOffset"/> within.
    /// </summary>
    public static void SetChecksum(Span<byte> range, int checksumOffset)
    {
        range[checksumOffset] = 0;
        byte sum = 0;
        foreach (byte value in range) sum += value;
        range[checksumOffset] = (byte)-sum;
    }

    public static void PutU16(Span<byte> bytes, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[offset..], value);
    public static void PutU32(Span<byte> bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], value);
    public static void PutU64(Span<byte> bytes, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[offset..], value);
}
