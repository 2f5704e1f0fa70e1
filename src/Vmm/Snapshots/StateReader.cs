using System;
using System.Buffers.Binary;
using System.Text;

namespace Vmm.Snapshots;

/// <summary>A snapshot's bytes do not say what the machine expects at this place.</summary>
public sealed class StateFormatException(string message) : Exception(message);

/// <summary>Reads the fields that a <see cref="StateWriter"/> wrote, in the same order, checking each name.</summary>
public sealed class StateReader(ReadOnlyMemory<byte> bytes)
{
    private int _offset;

    public bool AtEnd => _offset == bytes.Length;

    /// <summary>The value of the next field, which must be called <paramref name="name"/>.</summary>
    public ReadOnlySpan<byte> ReadBytes(string name)
    {
        ReadOnlySpan<byte> rest = bytes.Span[_offset..];
        if (rest.Length < 1 || rest.Length < 1 + rest[0] + 4) throw new StateFormatException($"the snapshot ends before field '{name}'");
        string found = Encoding.ASCII.GetString(rest.Slice(1, rest[0]));
        if (found != name) throw new StateFormatException($"the snapshot has field '{found}' where '{name}' is expected");
        int header = 1 + rest[0] + 4;
        int length = BinaryPrimitives.ReadInt32LittleEndian(rest[(header - 4)..]);
        if (length < 0 || length > rest.Length - header) throw new StateFormatException($"the snapshot's field '{name}' is cut off");
        _offset += header + length;
        return rest.Slice(header, length);
    }

    /// <summary>Copies a field into <paramref name="destination"/>, whose size it must have.</summary>
    public void Read(string name, Span<byte> destination)
    {
        ReadOnlySpan<byte> value = ReadBytes(name);
        if (value.Length != destination.Length)
            throw new StateFormatException($"the snapshot's field '{name}' has {value.Length} bytes, expected {destination.Length}");
        value.CopyTo(destination);
    }

    public ulong ReadUInt64(string name)
    {
        ReadOnlySpan<byte> value = ReadBytes(name);
        if (value.Length != 8) throw new StateFormatException($"the snapshot's field '{name}' has {value.Length} bytes, expected 8");
        return BinaryPrimitives.ReadUInt64LittleEndian(value);
    }

    public long ReadInt64(string name) => (long)ReadUInt64(name);
    public int ReadInt32(string name) => (int)ReadUInt64(name);
    public uint ReadUInt32(string name) => (uint)ReadUInt64(name);
    public byte ReadByte(string name) => (byte)ReadUInt64(name);
    public bool ReadBoolean(string name) => ReadUInt64(name) != 0;
}
