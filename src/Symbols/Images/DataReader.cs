using System;
using System.Buffers.Binary;
using System.Text;

namespace Symbols.Images;

/// <summary>
/// Reads little-endian values one after the other. Reading beyond the end gives zero and sets <see cref="Failed"/> for good, so that
/// a parser checks once per record rather than once per field, and no input makes it throw.
/// </summary>
internal ref struct DataReader
{
    private readonly ReadOnlySpan<byte> _data;
    private int _position;

    internal DataReader(ReadOnlySpan<byte> data, int position = 0)
    {
        _data = data;
        Failed = position < 0 || position > data.Length;
        _position = Failed ? data.Length : position;
    }

    internal bool Failed { get; private set; }

    internal readonly int Position => _position;

    internal readonly int Remaining => _data.Length - _position;

    internal readonly bool AtEnd => _position >= _data.Length;

    internal void Fail()
    {
        Failed = true;
        _position = _data.Length;
    }

    internal void Seek(ulong position)
    {
        if (position > (ulong)_data.Length) Fail();
        else _position = (int)position;
    }

    internal byte U8()
    {
        if (_position < _data.Length) return _data[_position++];
        Fail();
        return 0;
    }

    internal ushort U16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    internal uint U32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    internal ulong U64() => Take(8) is { Length: 8 } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    /// <summary>An unsigned value of 1 to 8 bytes; other sizes fail.</summary>
    internal ulong Unsigned(int sizeBytes)
    {
        switch (sizeBytes)
        {
            case 1: return U8();
            case 2: return U16();
            case 4: return U32();
            case 8: return U64();
            case < 1 or > 8:
                Fail();
                return 0;
        }
        ReadOnlySpan<byte> bytes = Take(sizeBytes);
        ulong value = 0;
        for (int i = bytes.Length - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }

    /// <summary>A value of 1 to 8 bytes, sign-extended.</summary>
    internal long Signed(int sizeBytes)
    {
        ulong value = Unsigned(sizeBytes);
        int shift = 64 - (sizeBytes * 8);
        return Failed ? 0 : (long)(value << shift) >> shift;
    }

    /// <summary>A section offset or length: 4 bytes in the 32-bit DWARF format, 8 in the 64-bit one (DWARF 5, 7.4).</summary>
    internal ulong Offset(bool is64) => is64 ? U64() : U32();

    /// <summary>A unit's <c>unit_length</c>; says which of the two formats follows (DWARF 5, 7.4).</summary>
    internal ulong InitialLength(out bool is64)
    {
        uint length = U32();
        is64 = length == 0xffffffff;
        // 0xfffffff0 to 0xfffffffe are reserved.
        if (length >= 0xfffffff0 && !is64) Fail();
        return is64 ? U64() : length;
    }

    /// <summary>Unsigned LEB128 (DWARF 5, 7.6); bits above the 64th are dropped.</summary>
    internal ulong Uleb()
    {
        // Nearly all numbers fit into one byte.
        if (_position < _data.Length && _data[_position] < 0x80) return _data[_position++];
        ulong value = 0;
        int shift = 0;
        while (true)
        {
            byte next = U8();
            if (Failed) return 0;
            if (shift < 64) value |= (ulong)(next & 0x7f) << shift;
            if ((next & 0x80) == 0) return value;
            if (shift < 64) shift += 7;
        }
    }

    /// <summary>A signed number that was written as an unsigned LEB128 in which small ones stay small: ours, not DWARF's.</summary>
    internal long Zigzag()
    {
        ulong value = Uleb();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>Goes over a LEB128 of either kind.</summary>
    internal void SkipLeb()
    {
        while (_position < _data.Length)
            if (_data[_position++] < 0x80) return;
        Fail();
    }

    /// <summary>Signed LEB128.</summary>
    internal long Sleb()
    {
        long value = 0;
        int shift = 0;
        while (true)
        {
            byte next = U8();
            if (Failed) return 0;
            if (shift < 64) value |= (long)(next & 0x7f) << shift;
            if (shift < 64) shift += 7;
            if ((next & 0x80) != 0) continue;
            return shift < 64 && (next & 0x40) != 0 ? value | (-1L << shift) : value;
        }
    }

    /// <summary>The bytes up to the next NUL, which is skipped.</summary>
    internal ReadOnlySpan<byte> StringBytes()
    {
        ReadOnlySpan<byte> rest = _data[_position..];
        int end = rest.IndexOf((byte)0);
        if (end < 0)
        {
            Fail();
            return default;
        }
        _position += end + 1;
        return rest[..end];
    }

    internal string String() => Encoding.UTF8.GetString(StringBytes());

    internal ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)Remaining)
        {
            Fail();
            return default;
        }
        ReadOnlySpan<byte> bytes = _data.Slice(_position, count);
        _position += count;
        return bytes;
    }

    internal void Skip(ulong count)
    {
        if (count > (ulong)Remaining) Fail();
        else _position += (int)count;
    }
}
