using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Replay.Log;

/// <summary>
/// Writes MessagePack primitives, each in its shortest form. Named and shaped like the primitive of the MessagePack-CSharp library, so that
/// the package can take its place (docs/decisions/0002-messagepack.md). As there, nothing reaches the output before <see cref="Flush"/>.
/// </summary>
public ref struct MessagePackWriter
{
    private readonly IBufferWriter<byte> _output;
    private Span<byte> _span;
    private int _written;

    public MessagePackWriter(IBufferWriter<byte> writer)
    {
        _output = writer;
        _span = default;
        _written = 0;
    }

    public void Flush()
    {
        if (_written > 0) _output.Advance(_written);
        _span = default;
        _written = 0;
    }

    public void WriteNil() => WriteByte(MessagePackCode.Nil);
    public void Write(bool value) => WriteByte(value ? MessagePackCode.True : MessagePackCode.False);

    public void WriteArrayHeader(uint count) =>
        WriteHeader(count, 15, MessagePackCode.MinFixArray, 0, MessagePackCode.Array16, MessagePackCode.Array32);

    public void WriteArrayHeader(int count) => WriteArrayHeader(checked((uint)count));

    public void WriteMapHeader(uint count) =>
        WriteHeader(count, 15, MessagePackCode.MinFixMap, 0, MessagePackCode.Map16, MessagePackCode.Map32);

    public void WriteMapHeader(int count) => WriteMapHeader(checked((uint)count));

    public void Write(ulong value)
    {
        if (value <= MessagePackCode.MaxFixInt) WriteByte((byte)value);
        else if (value <= byte.MaxValue) WriteCoded(MessagePackCode.UInt8, (byte)value);
        else if (value <= ushort.MaxValue) BinaryPrimitives.WriteUInt16BigEndian(Coded(MessagePackCode.UInt16, 2), (ushort)value);
        else if (value <= uint.MaxValue) BinaryPrimitives.WriteUInt32BigEndian(Coded(MessagePackCode.UInt32, 4), (uint)value);
        else BinaryPrimitives.WriteUInt64BigEndian(Coded(MessagePackCode.UInt64, 8), value);
    }

    public void Write(uint value) => Write((ulong)value);
    public void Write(int value) => Write((long)value);

    public void Write(long value)
    {
        if (value >= 0) Write((ulong)value);
        else if (value >= -32) WriteByte((byte)value);
        else if (value >= sbyte.MinValue) WriteCoded(MessagePackCode.Int8, (byte)value);
        else if (value >= short.MinValue) BinaryPrimitives.WriteInt16BigEndian(Coded(MessagePackCode.Int16, 2), (short)value);
        else if (value >= int.MinValue) BinaryPrimitives.WriteInt32BigEndian(Coded(MessagePackCode.Int32, 4), (int)value);
        else BinaryPrimitives.WriteInt64BigEndian(Coded(MessagePackCode.Int64, 8), value);
    }

    public void Write(float value) => BinaryPrimitives.WriteSingleBigEndian(Coded(MessagePackCode.Float32, 4), value);
    public void Write(double value) => BinaryPrimitives.WriteDoubleBigEndian(Coded(MessagePackCode.Float64, 8), value);

    /// <summary>Writes a value of type bin.</summary>
    public void Write(scoped ReadOnlySpan<byte> src)
    {
        WriteBinHeader(src.Length);
        WriteRaw(src);
    }

    public void WriteBinHeader(int length)
    {
        // bin has no "fix" form.
        if (length <= byte.MaxValue) WriteCoded(MessagePackCode.Bin8, (byte)length);
        else WriteHeader((uint)length, -1, 0, 0, MessagePackCode.Bin16, MessagePackCode.Bin32);
    }

    /// <summary>Writes a value of type str.</summary>
    public void Write(scoped ReadOnlySpan<char> value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        WriteHeader((uint)length, 31, MessagePackCode.MinFixStr, MessagePackCode.Str8, MessagePackCode.Str16, MessagePackCode.Str32);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    public void Write(string? value)
    {
        if (value is null) WriteNil();
        else Write(value.AsSpan());
    }

    /// <summary>Copies bytes that are MessagePack already, or the body after a header.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> rawMessagePackBlock) => rawMessagePackBlock.CopyTo(Take(rawMessagePackBlock.Length));

    private void WriteHeader(uint count, int maxFix, byte fix, byte code8, byte code16, byte code32)
    {
        if (count <= maxFix) WriteByte((byte)(fix | count));
        else if (code8 != 0 && count <= byte.MaxValue) WriteCoded(code8, (byte)count);
        else if (count <= ushort.MaxValue) BinaryPrimitives.WriteUInt16BigEndian(Coded(code16, 2), (ushort)count);
        else BinaryPrimitives.WriteUInt32BigEndian(Coded(code32, 4), count);
    }

    private void WriteByte(byte value) => Take(1)[0] = value;

    private void WriteCoded(byte code, byte value)
    {
        Span<byte> s = Take(2);
        s[0] = code;
        s[1] = value;
    }

    private Span<byte> Coded(byte code, int sizeBytes)
    {
        Span<byte> s = Take(1 + sizeBytes);
        s[0] = code;
        return s[1..];
    }

    private Span<byte> Take(int count)
    {
        if (_span.Length - _written < count)
        {
            Flush();
            _span = _output.GetSpan(Math.Max(count, 256));
        }
        Span<byte> taken = _span.Slice(_written, count);
        _written += count;
        return taken;
    }
}
