using System;
using System.Buffers.Binary;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// The index of one program's debug information, in memory or on disk, where it is read as it is needed: a header (magic, version, length, checksum), the parts, and
/// where each part is; little-endian. What does not have the right header, checksum and identity is no index; whatever the parts say, reading them stays within them.
/// </summary>
internal sealed class IndexFile : IDisposable
{
    internal const ulong Magic = 0x786469_6d767474; // "ttvmidx"
    internal const uint Version = 4;
    internal const int PartCount = 12, HeaderBytes = 32, TableBytes = PartCount * 16;

    private const int BlockBytes = 1 << 16;

    private readonly ImageSource _source;
    private readonly bool _isFork;
    private readonly SectionData[] _parts = new SectionData[PartCount];

    /// <summary>What the parts have.</summary>
    internal enum Part
    {
        /// <summary>What tells the program: <see cref="DebugIndexBuilder"/> makes it.</summary>
        Identity,

        /// <summary>
        /// For each job of the builder: the first of its records in <see cref="Segments"/>, <see cref="Sequences"/> and <see cref="Points"/>, and what it is
        /// (<see cref="HasLines"/>, <see cref="IsSplit"/>): 4 bytes each; one more at the end.
        /// </summary>
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

        /// <summary>Of each job's line program, the sequences by address: <see cref="IndexedLinePlaces.SequenceBytes"/>.</summary>
        Sequences,

        /// <summary>Of each job's line program, the points in the order of its rows: <see cref="IndexedLinePlaces.PointBytes"/>.</summary>
        Points,
    }

    private IndexFile(ImageSource source, bool isFork = false)
    {
        _source = source;
        _isFork = isFork;
    }

    /// <summary>Null: it is not an index of this version, damaged, or of another program.</summary>
    /// <param name="source">Belongs to the index; where there is none, still to the caller.</param>
    /// <param name="identity">What tells the program.</param>
    internal static IndexFile? Open(ImageSource source, ReadOnlySpan<byte> identity)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        long length = source.Length, table = length - TableBytes;
        if (table < HeaderBytes || length % 8 != 0 || source.Read(0, header) != HeaderBytes) return null;
        if (BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic || BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) != Version) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) != PartCount || BinaryPrimitives.ReadUInt64LittleEndian(header[16..]) != (ulong)length) return null;
        if (Sum(source) != BinaryPrimitives.ReadUInt64LittleEndian(header[24..])) return null;
        Span<byte> places = stackalloc byte[TableBytes];
        if (source.Read(table, places) != TableBytes) return null;
        var file = new IndexFile(source);
        for (int i = 0; i < PartCount; i++)
        {
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(places[(i * 16)..]), size = BinaryPrimitives.ReadUInt64LittleEndian(places[((i * 16) + 8)..]);
            if (start > (ulong)length || size > (ulong)length - start) return null;
            file._parts[i] = new SectionData("", 0, source, (long)start, (long)size);
        }
        return file[Part.Identity].All().Span.SequenceEqual(identity) ? file : null;
    }

    /// <summary>Numbers of a record of <see cref="Part.Jobs"/>.</summary>
    internal const int JobNumbers = 4;

    /// <summary>Of a job: it has a line program that the records of sequences and points are of.</summary>
    internal const uint HasLines = 1;

    /// <summary>Of a job: its unit has another half.</summary>
    internal const uint IsSplit = 2;

    private SectionData this[Part part] => _parts[(int)part];

    /// <summary>How many records of a size a part has.</summary>
    internal int Count(Part part, int sizeBytes) => (int)Math.Min(this[part].Length / (ulong)sizeBytes, int.MaxValue / 16);

    /// <summary>A number of a part by its index; 0 beyond the end.</summary>
    internal uint Number(Part part, int index) =>
        index >= 0 && this[part].Peek((ulong)index * 4, 4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    /// <summary>A number of 8 bytes by its index in 4 bytes; 0 beyond the end.</summary>
    internal ulong Long(Part part, int index) => Number(part, index) | ((ulong)Number(part, index + 1) << 32);

    /// <summary>As <see cref="Slice"/>, valid until something else of the part is read.</summary>
    internal ReadOnlySpan<byte> Peek(Part part, ulong start, ulong end) =>
        end <= start || start >= this[part].Length ? default : this[part].Peek(start, (int)Math.Min(Math.Min(end, this[part].Length) - start, int.MaxValue));

    /// <summary>A piece of a part, cut off at its end.</summary>
    internal ReadOnlySpan<byte> Slice(Part part, ulong start, ulong end) => end <= start ? default : this[part].Part(start, end - start);

    /// <summary>Takes the memory that look-ups will need.</summary>
    internal void Prepare()
    {
        foreach (SectionData part in _parts) part.Prepare();
    }

    /// <summary>The same for another thread; the file belongs to this one.</summary>
    internal IndexFile Fork()
    {
        var fork = new IndexFile(_source, isFork: true);
        for (int i = 0; i < PartCount; i++) fork._parts[i] = _parts[i].Fork();
        return fork;
    }

    public void Dispose()
    {
        if (!_isFork) _source.Dispose();
    }

    private static ulong Sum(ImageSource source)
    {
        byte[] block = GC.AllocateUninitializedArray<byte>((int)Math.Min(BlockBytes, source.Length));
        ulong sum = Checksum64.Start;
        for (long at = HeaderBytes; at < source.Length; at += block.Length)
        {
            Span<byte> bytes = block.AsSpan(0, (int)Math.Min(block.Length, source.Length - at));
            if (source.Read(at, bytes) != bytes.Length) return 0;
            sum = Checksum64.Add(sum, bytes);
        }
        return Checksum64.End(sum, (ulong)source.Length - HeaderBytes);
    }
}
