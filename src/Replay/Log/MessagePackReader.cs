using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Replay.Log;

/// <summary>
/// Reads MessagePack primitives. Named and shaped like the primitive of the MessagePack-CSharp library
/// (docs/decisions/0002-messagepack.md). The bytes may be hostile: no
/// length is believed before the bytes are there, and nesting is bounded.
/// </summary>
public ref struct MessagePackReader
{
    private const int MaxDepth = 64;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ReadOnlySpan<byte> _span;
    private int _offset;

    public MessagePackReader(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        _span = memory.Span;
        _offset = 0;
    }

    public readonly long Consumed => _offset;
    public readonly bool End => _offset == _span.Length;
    public readonly byte NextCode => _offset < _span.Length ? _span[_offset] : throw TooShort();
    public readonly bool IsNil => NextCode == MessagePackCode.Nil;

    public readonly MessagePackType NextMessagePackType => NextCode switch
    {
        <= MessagePackCode.MaxFixInt or >= MessagePackCode.MinNegativeFixInt => MessagePackType.Integer,
        <= MessagePackCode.MaxFixMap => MessagePackType.Map,
        <= MessagePackCode.MaxFixArray => MessagePackType.Array,
        <= MessagePackCode.MaxFixStr => MessagePackType.String,
        MessagePackCode.Nil => MessagePackType.Nil,
        MessagePackCode.False or MessagePackCode.True => MessagePackType.Boolean,
        MessagePackCode.Bin8 or MessagePackCode.Bin16 or MessagePackCode.Bin32 => MessagePackType.Binary,
        MessagePackCode.Float32 or MessagePackCode.Float64 => MessagePackType.Float,
        >= MessagePackCode.UInt8 and <= MessagePackCode.Int64 => MessagePackType.Integer,
        MessagePackCode.Str8 or MessagePackCode.Str16 or MessagePackCode.Str32 => MessagePackType.String,
        MessagePackCode.Array16 or MessagePackCode.Array32 => MessagePackType.Array,
        MessagePackCode.Map16 or MessagePackCode.Map32 => MessagePackType.Map,
        MessagePackCode.NeverUsed => MessagePackType.Unknown,
        _ => MessagePackType.Extension,
    };

    public bool TryReadNil()
    {
        if (!IsNil) return false;
        _offset++;
        return true;
    }

    public bool ReadBoolean() => ReadCode() switch
    {
        MessagePackCode.True => true,
        MessagePackCode.False => false,
        byte code => throw Wrong("a boolean", code),
    };

    public int ReadArrayHeader()
    {
        byte code = ReadCode();
        uint count = code switch
        {
            >= MessagePackCode.MinFixArray and <= MessagePackCode.MaxFixArray => (uint)(code & 0x0F),
            MessagePackCode.Array16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackCode.Array32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("an array", code),
        };
        // Each element takes a byte at least, so that a caller may allocate what is announced.
        return count <= (uint)(_span.Length - _offset) ? (int)count : throw TooShort();
    }

    public int ReadMapHeader()
    {
        byte code = ReadCode();
        uint count = code switch
        {
            >= MessagePackCode.MinFixMap and <= MessagePackCode.MaxFixMap => (uint)(code & 0x0F),
            MessagePackCode.Map16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackCode.Map32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("a map", code),
        };
        return 2UL * count <= (uint)(_span.Length - _offset) ? (int)count : throw TooShort();
    }

    public ulong ReadUInt64()
    {
        byte code = ReadCode();
        if (code <= MessagePackCode.MaxFixInt) return code;
        long signed = 0;
        switch (code)
        {
            case MessagePackCode.UInt8: return Take(1)[0];
            case MessagePackCode.UInt16: return BinaryPrimitives.ReadUInt16BigEndian(Take(2));
            case MessagePackCode.UInt32: return BinaryPrimitives.ReadUInt32BigEndian(Take(4));
            case MessagePackCode.UInt64: return BinaryPrimitives.ReadUInt64BigEndian(Take(8));
            case MessagePackCode.Int8: signed = (sbyte)Take(1)[0]; break;
            case MessagePackCode.Int16: signed = BinaryPrimitives.ReadInt16BigEndian(Take(2)); break;
            case MessagePackCode.Int32: signed = BinaryPrimitives.ReadInt32BigEndian(Take(4)); break;
            case MessagePackCode.Int64: signed = BinaryPrimitives.ReadInt64BigEndian(Take(8)); break;
            default: throw Wrong("an unsigned integer", code);
        }
        return signed >= 0 ? (ulong)signed : throw Wrong("an unsigned integer", code);
    }

    public long ReadInt64()
    {
        byte code = NextCode;
        long value;
        switch (code)
        {
            case >= MessagePackCode.MinNegativeFixInt:
                _offset++;
                return (sbyte)code;
            case MessagePackCode.Int8: _offset++; return (sbyte)Take(1)[0];
            case MessagePackCode.Int16: _offset++; return BinaryPrimitives.ReadInt16BigEndian(Take(2));
            case MessagePackCode.Int32: _offset++; return BinaryPrimitives.ReadInt32BigEndian(Take(4));
            case MessagePackCode.Int64: _offset++; return BinaryPrimitives.ReadInt64BigEndian(Take(8));
            default:
                value = unchecked((long)ReadUInt64());
                return value >= 0 ? value : throw Wrong("a 64-bit integer", code);
        }
    }

    public int ReadInt32()
    {
        long value = ReadInt64();
        return value == (int)value
            ? (int)value : throw new MessagePackSerializationException($"{value} does not fit 32 bits, before offset {_offset}");
    }

    public uint ReadUInt32()
    {
        ulong value = ReadUInt64();
        return value <= uint.MaxValue
            ? (uint)value : throw new MessagePackSerializationException($"{value} does not fit 32 bits, before offset {_offset}");
    }

    public double ReadDouble()
    {
        byte code = ReadCode();
        return code switch
        {
            MessagePackCode.Float32 => BinaryPrimitives.ReadSingleBigEndian(Take(4)),
            MessagePackCode.Float64 => BinaryPrimitives.ReadDoubleBigEndian(Take(8)),
            _ => throw Wrong("a float", code),
        };
    }

    /// <summary>A value of type bin, not copied; null for nil.</summary>
    public ReadOnlySequence<byte>? ReadBytes()
    {
        if (TryReadNil()) return null;
        return new ReadOnlySequence<byte>(ReadBinary());
    }

    /// <summary>A value of type bin, not copied. (Not in the library, which would copy here: <c>ReadBytes().Value.First</c>.)</summary>
    public ReadOnlyMemory<byte> ReadBinary()
    {
        byte code = ReadCode();
        uint length = code switch
        {
            MessagePackCode.Bin8 => Take(1)[0],
            MessagePackCode.Bin16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackCode.Bin32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("binary", code),
        };
        int start = _offset;
        Take(length);
        return _memory.Slice(start, (int)length);
    }

    public string? ReadString()
    {
        if (TryReadNil()) return null;
        byte code = ReadCode();
        uint length = code switch
        {
            >= MessagePackCode.MinFixStr and <= MessagePackCode.MaxFixStr => (uint)(code & 0x1F),
            MessagePackCode.Str8 => Take(1)[0],
            MessagePackCode.Str16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackCode.Str32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw Wrong("a string", code),
        };
        return Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>Passes over one value of any type.</summary>
    public void Skip() => Skip(0);

    private void Skip(int depth)
    {
        if (depth > MaxDepth) throw new MessagePackSerializationException($"values are nested deeper than {MaxDepth}, at offset {_offset}");
        switch (NextMessagePackType)
        {
            case MessagePackType.Array:
                for (int n = ReadArrayHeader(); n > 0; n--) Skip(depth + 1);
                break;
            case MessagePackType.Map:
                for (int n = 2 * ReadMapHeader(); n > 0; n--) Skip(depth + 1);
                break;
            case MessagePackType.String: ReadString(); break;
            case MessagePackType.Binary: ReadBinary(); break;
            case MessagePackType.Float: ReadDouble(); break;
            case MessagePackType.Integer: SkipInteger(); break;
            case MessagePackType.Extension: SkipExtension(); break;
            case MessagePackType.Nil or MessagePackType.Boolean: _offset++; break;
            default: throw Wrong("a value", NextCode);
        }
    }

    private void SkipInteger()
    {
        byte code = ReadCode();
        if (code is >= MessagePackCode.UInt8 and <= MessagePackCode.UInt64) Take(1u << (code - MessagePackCode.UInt8));
        else if (code is >= MessagePackCode.Int8 and <= MessagePackCode.Int64) Take(1u << (code - MessagePackCode.Int8));
    }

    private void SkipExtension()
    {
        byte code = ReadCode();
        ulong length = code switch
        {
            >= MessagePackCode.FixExt1 and <= MessagePackCode.FixExt16 => 1u << (code - MessagePackCode.FixExt1),
            MessagePackCode.Ext8 => Take(1)[0],
            MessagePackCode.Ext16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            _ => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
        };
        Take(length + 1);
    }

    private byte ReadCode()
    {
        byte code = NextCode;
        _offset++;
        return code;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_span.Length - _offset)) throw TooShort();
        ReadOnlySpan<byte> taken = _span.Slice(_offset, (int)count);
        _offset += (int)count;
        return taken;
    }

    private readonly MessagePackSerializationException TooShort() =>
        new($"the data ends inside a value, at offset {_offset} of {_span.Length}");

    private readonly MessagePackSerializationException Wrong(string expected, byte code) =>
        new($"expected {expected}, found code 0x{code:x2} before offset {_offset}");
}
