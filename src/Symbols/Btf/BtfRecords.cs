using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Symbols.Btf;

/// <summary>
/// The records and strings of one BTF section (Documentation/bpf/btf.rst), or of a module's, whose numbers and strings go on where those of the kernel end. Where each record
/// begins is noted once; nothing of them is trusted later either.
/// </summary>
internal sealed class BtfRecords
{
    private const ushort Magic = 0xeb9f;
    private const int HeaderBytes = 24;
    private const int RecordBytes = 12;

    // The kernel's own limit is 512; a damaged file must not make one long string the name of everything.
    private const int MaximumNameBytes = 1024;

    private readonly ReadOnlyMemory<byte> _types, _strings;
    private readonly BtfRecords? _base;
    private readonly List<int> _starts = [];

    private BtfRecords(ReadOnlyMemory<byte> types, ReadOnlyMemory<byte> strings, BtfRecords? baseRecords)
    {
        _types = types;
        _strings = strings;
        _base = baseRecords;
        FirstId = baseRecords?.EndId ?? 1;
        FirstString = baseRecords?.EndString ?? 0;
    }

    /// <summary>The number of the first record; 0 is void.</summary>
    internal uint FirstId { get; }

    /// <summary>One more than the number of the last.</summary>
    internal uint EndId => FirstId + (uint)_starts.Count;

    private uint FirstString { get; }

    private uint EndString => FirstString + (uint)_strings.Length;

    /// <summary>Why the last records could not be read; null: all could.</summary>
    internal string? Problem { get; private set; }

    /// <summary>Null: it is no BTF, or of a version that is not known.</summary>
    internal static BtfRecords? TryOpen(ReadOnlyMemory<byte> data, BtfRecords? baseRecords)
    {
        ReadOnlySpan<byte> bytes = data.Span;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt16LittleEndian(bytes) != Magic || bytes[2] != 1) return null;
        uint headerSize = U32(bytes, 4);
        if (headerSize < HeaderBytes || headerSize > bytes.Length) return null;
        ReadOnlyMemory<byte> body = data[(int)headerSize..];
        if (Part(body, U32(bytes, 8), U32(bytes, 12)) is not { } types || Part(body, U32(bytes, 16), U32(bytes, 20)) is not { } strings) return null;
        var records = new BtfRecords(types, strings, baseRecords);
        records.NoteStarts();
        return records;
    }

    /// <summary>One record; null: there is none of that number here or in the kernel's.</summary>
    internal BtfRecord? this[uint id]
    {
        get
        {
            if (id < FirstId) return _base?[id];
            if (id >= EndId) return null;
            int start = _starts[(int)(id - FirstId)];
            int end = (int)(id - FirstId) + 1 < _starts.Count ? _starts[(int)(id - FirstId) + 1] : _types.Length;
            ReadOnlySpan<byte> bytes = _types.Span[start..];
            return new BtfRecord(id, U32(bytes, 0), U32(bytes, 4), U32(bytes, 8), _types[(start + RecordBytes)..end]);
        }
    }

    /// <summary>The string at an offset, empty where there is none.</summary>
    internal string Text(uint offset)
    {
        if (offset < FirstString) return _base?.Text(offset) ?? "";
        if (offset >= EndString) return "";
        ReadOnlySpan<byte> rest = _strings.Span[(int)(offset - FirstString)..];
        if (rest.Length > MaximumNameBytes) rest = rest[..MaximumNameBytes];
        int end = rest.IndexOf((byte)0);
        return end <= 0 ? "" : Encoding.UTF8.GetString(rest[..end]);
    }

    private void NoteStarts()
    {
        ReadOnlySpan<byte> bytes = _types.Span;
        int position = 0;
        while (bytes.Length - position >= RecordBytes)
        {
            uint info = U32(bytes, position + 4);
            long size = RecordBytes + ExtraBytes((BtfKind)((info >> 24) & 0x1f), info & 0xffff);
            if (size < RecordBytes || size > bytes.Length - position)
            {
                Problem = $"Record {EndId} is of an unknown kind or is cut off; it and those behind it are left out.";
                return;
            }
            _starts.Add(position);
            position += (int)size;
        }
        if (position != bytes.Length) Problem = "The last record is cut off.";
    }

    // What follows a record's 12 bytes; negative: a kind that is not known, whose size nobody knows.
    private static long ExtraBytes(BtfKind kind, uint count) => kind switch
    {
        BtfKind.Integer or BtfKind.Variable or BtfKind.DeclarationTag => 4,
        BtfKind.Array => 12,
        BtfKind.Structure or BtfKind.Union or BtfKind.DataSection or BtfKind.Enumeration64 => 12L * count,
        BtfKind.Enumeration or BtfKind.FunctionPrototype => 8L * count,
        BtfKind.Pointer or BtfKind.Forward or BtfKind.Typedef or BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict or BtfKind.Function or BtfKind.Float or BtfKind.TypeTag => 0,
        _ => long.MinValue,
    };

    private static ReadOnlyMemory<byte>? Part(ReadOnlyMemory<byte> body, uint offset, uint size) =>
        offset > body.Length || size > body.Length - offset ? null : body.Slice((int)offset, (int)size);

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}

/// <summary><c>struct btf_type</c> with what follows it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="NameOffset">Of its name among the strings; 0: it has none.</param>
/// <param name="Info">Kind, count and a flag.</param>
/// <param name="SizeOrType">Bytes, or the number of another record, as the kind has it.</param>
/// <param name="Extra">Members, enumerators, parameters and the like.</param>
internal readonly record struct BtfRecord(uint Id, uint NameOffset, uint Info, uint SizeOrType, ReadOnlyMemory<byte> Extra)
{
    internal BtfKind Kind => (BtfKind)((Info >> 24) & 0x1f);

    internal int Count => (int)(Info & 0xffff);

    internal bool Flag => Info >> 31 != 0;

    /// <summary>A 32-bit number of <see cref="Extra"/>, whose size the kind and the count give.</summary>
    internal uint Number(int index) => BinaryPrimitives.ReadUInt32LittleEndian(Extra.Span[(index * 4)..]);
}
