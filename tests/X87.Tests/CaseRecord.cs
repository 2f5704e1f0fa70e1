using System;
using System.Buffers.Binary;
using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>A view of one 192-byte record of host/x87-oracle.c: an instruction and the state around it.</summary>
internal readonly ref struct CaseRecord(Span<byte> bytes)
{
    public const int SizeBytes = 192;

    public readonly Span<byte> Bytes = bytes;

    public Span<byte> Code => Bytes[..Length];

    public int Length => Bytes[15];

    public void SetCode(ReadOnlySpan<byte> code)
    {
        code.CopyTo(Bytes);
        Bytes[15] = (byte)code.Length;
    }

    public ulong Rflags
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(Bytes[16..]);
        set => BinaryPrimitives.WriteUInt64LittleEndian(Bytes[16..], value);
    }

    public ulong Rax
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(Bytes[24..]);
        set => BinaryPrimitives.WriteUInt64LittleEndian(Bytes[24..], value);
    }

    public ushort Control
    {
        get => BinaryPrimitives.ReadUInt16LittleEndian(Bytes[32..]);
        set => BinaryPrimitives.WriteUInt16LittleEndian(Bytes[32..], value);
    }

    public ushort Status
    {
        get => BinaryPrimitives.ReadUInt16LittleEndian(Bytes[34..]);
        set => BinaryPrimitives.WriteUInt16LittleEndian(Bytes[34..], value);
    }

    public byte Tags
    {
        get => Bytes[36];
        set => Bytes[36] = value;
    }

    public int Top => (Status >> 11) & 7;

    public Float80 GetSt(int index)
    {
        ReadOnlySpan<byte> slot = Bytes[(40 + (10 * index))..];
        return new Float80(BinaryPrimitives.ReadUInt16LittleEndian(slot[8..]), BinaryPrimitives.ReadUInt64LittleEndian(slot));
    }

    public void SetSt(int index, Float80 value)
    {
        Span<byte> slot = Bytes[(40 + (10 * index))..];
        BinaryPrimitives.WriteUInt64LittleEndian(slot, value.Significand);
        BinaryPrimitives.WriteUInt16LittleEndian(slot[8..], value.SignExponent);
    }

    public Span<byte> Memory => Bytes.Slice(120, 32);

    public Span<byte> Xmm => Bytes.Slice(152, 32);

    public uint Mxcsr
    {
        get => BinaryPrimitives.ReadUInt32LittleEndian(Bytes[184..]);
        set => BinaryPrimitives.WriteUInt32LittleEndian(Bytes[184..], value);
    }

    /// <summary>0, or the signal that the instruction raised on the host; of ours, the vector plus 100.</summary>
    public uint Signal
    {
        get => BinaryPrimitives.ReadUInt32LittleEndian(Bytes[188..]);
        set => BinaryPrimitives.WriteUInt32LittleEndian(Bytes[188..], value);
    }
}
