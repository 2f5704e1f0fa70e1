using System;
using System.Buffers;
using System.IO;
using Replay.Log;

namespace Replay.Packages;

/// <summary>
/// The frames of one part of a recording: found by its index, or by walking from header to header. What is known of them is kept as an index has it, some sixty bytes for each
/// with its metadata, and read when it is asked for: a long recording has tens of thousands. Immutable, thread-safe.
/// </summary>
internal sealed class FrameTable
{
    /// <summary>Frames between those of which is known where they are: so many entries are read at most for one.</summary>
    public const int Stride = 16;

    /// <summary>Where the entry of a frame begins, and the frame.</summary>
    public readonly record struct Mark(int Entry, long Offset);

    private readonly PartReader _part;
    private readonly ReadOnlyMemory<byte> _entries;
    private readonly Mark[] _marks;

    /// <param name="part">Where the frames are, one behind the other from its beginning.</param>
    /// <param name="entries">As in an index.</param>
    /// <param name="count">How many.</param>
    /// <param name="marks">One for every <see cref="Stride"/> frames.</param>
    /// <param name="sizeBytes">Of all frames.</param>
    public FrameTable(PartReader part, ReadOnlyMemory<byte> entries, int count, Mark[] marks, long sizeBytes)
    {
        Vmm.Invariant.Check(marks.Length == (count + Stride - 1) / Stride);
        (_part, _entries, Count, _marks, SizeBytes) = (part, entries, count, marks, sizeBytes);
    }

    public int Count { get; }
    public long SizeBytes { get; }
    public PartReader Part => _part;

    public FrameInfo this[int index]
    {
        get
        {
            Find(index, out FrameInfo frame, out _);
            return frame;
        }
    }

    public ReadOnlySpan<byte> Meta(int index)
    {
        Find(index, out _, out ReadOnlySpan<byte> meta);
        return meta;
    }

    /// <summary>Writes the entry of a frame.</summary>
    public static void WriteEntry(ArrayBufferWriter<byte> entries, in FrameInfo frame, ReadOnlySpan<byte> meta)
    {
        VarInt.Write(entries, (ulong)frame.Kind);
        VarInt.Write(entries, (ulong)frame.Compression);
        VarInt.Write(entries, (ulong)frame.MetaLength);
        VarInt.Write(entries, (ulong)frame.StoredLength);
        VarInt.Write(entries, (ulong)frame.RawLength);
        entries.Write(meta);
    }

    // False: it is cut off or not possible.
    private static bool TryReadEntry(scoped ref VarIntReader reader, long offset, out FrameInfo frame, out ReadOnlySpan<byte> meta)
    {
        frame = default;
        meta = default;
        if (!reader.TryRead(out ulong kind) || !reader.TryRead(out ulong flags) || !reader.TryRead(out ulong metaLength) || !reader.TryRead(out ulong stored)
            || !reader.TryRead(out ulong raw) || kind > 0x7F || flags > (ulong)FrameCompression.Lz4 || (metaLength | stored | raw) > int.MaxValue) return false;
        frame = new FrameInfo((FrameKind)kind, (FrameCompression)flags, offset, (int)metaLength, (int)stored, (int)raw);
        return Frame.IsPlausible(frame) && reader.TryTake(frame.MetaLength, out meta);
    }

    private void Find(int index, out FrameInfo frame, out ReadOnlySpan<byte> meta)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
        (int entry, long offset) = _marks[index / Stride];
        var reader = new VarIntReader(_entries.Span[entry..]);
        for (int i = index / Stride * Stride; ; i++)
        {
            bool isGood = TryReadEntry(ref reader, offset, out frame, out meta);
            Vmm.Invariant.Check(isGood);
            if (i == index) return;
            offset = frame.End;
        }
    }

    /// <summary>A frame's payload, its checksum and metadata compared.</summary>
    /// <param name="index">Of the frame.</param>
    /// <param name="allocate">Gives an array of so many bytes, which need not be zero; null: a new one is made.</param>
    public byte[] ReadPayload(int index, Func<int, byte[]>? allocate = null)
    {
        Find(index, out FrameInfo info, out ReadOnlySpan<byte> meta);
        byte[] frame = ArrayPool<byte>.Shared.Rent((int)info.SizeBytes);
        try
        {
            Span<byte> bytes = frame.AsSpan(0, (int)info.SizeBytes);
            _part.Read(info.Offset, bytes);
            if (Frame.ParseHeader(bytes, info.Offset) != info)
                throw _part.Damaged(info.Offset, "the frame is not the one that the index names");
            if (!Frame.HasRightChecksum(bytes)) throw _part.Damaged(info.Offset, "the checksum of the frame is wrong");
            if (!bytes.Slice(Frame.HeaderSizeBytes, info.MetaLength).SequenceEqual(meta))
                throw _part.Damaged(info.Offset, "the frame does not say what the index says");
            return Frame.Unpack(frame, info, allocate) ?? throw _part.Damaged(info.Offset, "the frame does not decompress");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    public RecordingFormatException Damaged(int index, string what) => _part.Damaged(this[index].Offset, what);

    /// <summary>The first <paramref name="count"/> frames only.</summary>
    public FrameTable Take(int count)
    {
        var builder = new FrameTableBuilder();
        for (int i = 0; i < count; i++) builder.Add(this[i], Meta(i));
        return builder.Build(_part);
    }

    /// <summary>Finds frames by walking over the part, as far as they are whole: how a partial directory is read.</summary>
    public static FrameTable Scan(PartReader part)
    {
        var builder = new FrameTableBuilder();
        var header = new byte[Frame.HeaderSizeBytes];
        long offset = 0;
        while (part.SizeBytes - offset >= Frame.HeaderSizeBytes)
        {
            part.Read(offset, header);
            if (Frame.ParseHeader(header, offset) is not { } info || info.End > part.SizeBytes) break;
            byte[] frame = ArrayPool<byte>.Shared.Rent((int)info.SizeBytes);
            part.Read(offset, frame.AsSpan(0, (int)info.SizeBytes));
            bool whole = Frame.HasRightChecksum(frame.AsSpan(0, (int)info.SizeBytes));
            if (whole) builder.Add(info, frame.AsSpan(Frame.HeaderSizeBytes, info.MetaLength));
            ArrayPool<byte>.Shared.Return(frame);
            if (!whole) break;
            offset = info.End;
        }
        return builder.Build(part);
    }

    /// <summary>The index as a frame of its own.</summary>
    public byte[] BuildIndex()
    {
        var payload = new ArrayBufferWriter<byte>();
        VarInt.Write(payload, (ulong)Count);
        payload.Write(_entries.Span);
        using var frame = new MemoryStream();
        Frame.Build(frame, FrameKind.Index, default, payload.WrittenSpan);
        return frame.ToArray();
    }

    /// <summary>Reads an index that <see cref="BuildIndex"/> wrote.</summary>
    public static FrameTable ReadIndex(PartReader index, PartReader part)
    {
        FrameTable own = Scan(index);
        if (own.Count != 1 || own.SizeBytes != index.SizeBytes || own[0].Kind != FrameKind.Index)
            throw index.Damaged(0, "it is not an index");
        byte[] payload = own.ReadPayload(0);
        var reader = new VarIntReader(payload);
        if (!reader.TryRead(out ulong count) || count > (ulong)payload.Length) throw index.Damaged(0, "the index is cut off");
        int first = payload.Length - reader.Length;
        var marks = new Mark[((int)count + Stride - 1) / Stride];
        long offset = 0;
        for (int i = 0; i < (int)count; i++)
        {
            if (i % Stride == 0) marks[i / Stride] = new Mark(payload.Length - reader.Length - first, offset);
            if (!TryReadEntry(ref reader, offset, out FrameInfo frame, out _) || frame.End > part.SizeBytes) throw index.Damaged(0, $"entry {i} of the index is cut off or not possible");
            offset = frame.End;
        }
        if (offset != part.SizeBytes || !reader.AtEnd) throw index.Damaged(0, "the index does not cover its part");
        return new FrameTable(part, payload.AsMemory(first), (int)count, marks, offset);
    }
}
