using System;
using System.Buffers.Binary;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// The index of one program's debug information as bytes, in memory and on disk: a header (magic, version, length, checksum, where each part
/// is) and the parts, little-endian. What does not have the right header, checksum and identity is no index; whatever the parts say, reading
/// them stays within them.
/// </summary>
internal sealed class IndexFile
{
    private const ulong Magic = 0x786469_6d767474; // "ttvmidx"
    private const uint Version = 2;
    private const int PartCount = 10;
    private const int HeaderBytes = 32 + (PartCount * 16);

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly (int Start, int Length)[] _parts = new (int, int)[PartCount];

    /// <summary>What the parts have; the order is that of the file.</summary>
    internal enum Part
    {
        /// <summary>What tells the program: <see cref="DebugIndexBuilder"/> makes it.</summary>
        Identity,

        /// <summary>For each job of the builder, where its segments start: 4 bytes; one more at the end.</summary>
        Jobs,

        /// <summary>Functions by address: start, end (8 bytes each), distance of the entry from its unit's start, unused (4 each).</summary>
        Segments,

        /// <summary>Where each name starts in <see cref="Names"/>, and where its entries start: 4 bytes each; one more at the end.</summary>
        NameOffsets,

        /// <summary>UTF-8, in the order of the bytes.</summary>
        Names,

        /// <summary>Job, number of the unit in the job, distance of the entry from its unit's start, kind: 4 bytes each.</summary>
        Entries,

        /// <summary>Where each path starts in <see cref="Paths"/>, its rows in <see cref="Rows"/>, its first stop in <see cref="Stops"/>: 4 bytes each; one more.</summary>
        Files,
        Paths,

        /// <summary>A line and where in the file's rows the row is written in full: 4 bytes each, for every so many rows.</summary>
        Stops,
        Rows,
    }

    private IndexFile(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    internal ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Null: it is not an index of this version, damaged, or of another program.</summary>
    internal static IndexFile? Open(ReadOnlyMemory<byte> bytes, ReadOnlySpan<byte> identity)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        if (span.Length < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(span) != Magic || Number(span, 8) != Version || Number(span, 12) != PartCount) return null;
        if (BinaryPrimitives.ReadUInt64LittleEndian(span[16..]) != (ulong)span.Length) return null;
        if (BinaryPrimitives.ReadUInt64LittleEndian(span[24..]) != Checksum64.Of(span[32..])) return null;
        var file = new IndexFile(bytes);
        for (int i = 0; i < PartCount; i++)
        {
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(span[(32 + (i * 16))..]), length = BinaryPrimitives.ReadUInt64LittleEndian(span[(40 + (i * 16))..]);
            if (start > (ulong)span.Length || length > (ulong)span.Length - start) return null;
            file._parts[i] = ((int)start, (int)length);
        }
        return file.Data(Part.Identity).SequenceEqual(identity) ? file : null;
    }

    internal static byte[] Write(ReadOnlySpan<ByteWriter> parts)
    {
        long length = HeaderBytes;
        foreach (ByteWriter part in parts) length += (part.Length + 7) & ~7;
        if (length > Array.MaxLength) throw new SymbolFormatException("The debug information is too large for an index.");
        byte[] bytes = new byte[length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), PartCount);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), (ulong)length);
        int at = HeaderBytes;
        for (int i = 0; i < PartCount; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32 + (i * 16)), (ulong)at);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40 + (i * 16)), (ulong)parts[i].Length);
            parts[i].Written.CopyTo(bytes.AsSpan(at));
            at += (parts[i].Length + 7) & ~7;
        }
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), Checksum64.Of(bytes.AsSpan(32)));
        return bytes;
    }

    internal ReadOnlySpan<byte> Data(Part part) => _bytes.Span.Slice(_parts[(int)part].Start, _parts[(int)part].Length);

    /// <summary>How many records of a size a part has.</summary>
    internal int Count(Part part, int sizeBytes) => _parts[(int)part].Length / sizeBytes;

    /// <summary>A number of a part by its index; 0 beyond the end.</summary>
    internal uint Number(Part part, int index)
    {
        (int start, int length) = _parts[(int)part];
        return (uint)index < (uint)(length / 4) ? Number(_bytes.Span, start + (index * 4)) : 0;
    }

    /// <summary>A number of 8 bytes by its index in 4 bytes; 0 beyond the end.</summary>
    internal ulong Long(Part part, int index) => Number(part, index) | ((ulong)Number(part, index + 1) << 32);

    /// <summary>A piece of a part, cut off at its end.</summary>
    internal ReadOnlySpan<byte> Slice(Part part, uint start, uint end)
    {
        ReadOnlySpan<byte> data = Data(part);
        int last = (int)Math.Min(end, (uint)data.Length), first = (int)Math.Min(start, (uint)last);
        return data[first..last];
    }

    private static uint Number(ReadOnlySpan<byte> span, int at) => BinaryPrimitives.ReadUInt32LittleEndian(span[at..]);
}
