using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Vmm.Snapshots;

/// <summary>
/// Writes named fields, little-endian, in the order in which they are given: [name length][name][length, 4 bytes][value]. The names make
/// a snapshot readable by tools and let a reader say which field is wrong.
/// </summary>
public sealed class StateWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.WrittenMemory;
    public void Clear() => _buffer.ResetWrittenCount();

    public void Write(string name, ReadOnlySpan<byte> value)
    {
        Span<byte> header = _buffer.GetSpan(1 + name.Length + 4 + value.Length);
        int nameLength = Encoding.ASCII.GetBytes(name, header[1..]);
        header[0] = checked((byte)nameLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[(1 + nameLength)..], value.Length);
        value.CopyTo(header[(1 + nameLength + 4)..]);
        _buffer.Advance(1 + nameLength + 4 + value.Length);
    }

    public void Write(string name, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        Write(name, bytes);
    }

    public void Write(string name, long value) => Write(name, (ulong)value);
    public void Write(string name, int value) => Write(name, (ulong)(long)value);
    public void Write(string name, uint value) => Write(name, (ulong)value);
    public void Write(string name, bool value) => Write(name, value ? 1UL : 0UL);
}
