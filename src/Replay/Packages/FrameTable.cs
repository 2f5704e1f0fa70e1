using System;
using System.Buffers;
using System.IO;
using Replay.Log;

namespace Replay.Packages;

/// <summary>The frames of one part of a recording: found by its index, or by walking from header to header. Immutable,
/// thread-safe.</summary>
internal sealed class FrameTable
{
    private readonly PartReader _part;
    private readonly FrameInfo[] _frames;
    private readonly byte[] _meta;
    private readonly int[] _metaStarts;

    public FrameTable(PartReader part, FrameInfo[] frames, byte[] meta)
    {
        _part = part;
        _frames = frames;
        _meta = meta;
        _metaStarts = new int[frames.Length];
        int start = 0;
        for (int i = 0; i < frames.Length; i++)
        {
            _metaStarts[i] = start;
            start += frames[i].MetaLength;
        }
        Vmm.Invariant.Check(start == meta.Length);
    }

    public int Count => _frames.Length;
    public long SizeBytes => Count == 0 ? 0 : _frames[^1].End;
    public PartReader Part => _part;
    public FrameInfo this[int index] => _frames[index];
    public ReadOnlySpan<byte> Meta(int index) => _meta.AsSpan(_metaStarts[index], _frames[index].MetaLength);

    /// <summary>A frame's payload, its checksum and metadata compared.</summary>
    public byte[] ReadPayload(int index)
    {
        FrameInfo info = _frames[index];
        byte[] frame = ArrayPool<byte>.Shared.Rent((int)info.SizeBytes);
        try
        {
            Span<byte> bytes = frame.AsSpan(0, (int)info.SizeBytes);
            _part.Read(info.Offset, bytes);
            if (Frame.ParseHeader(bytes, info.Offset) != info)
                throw _part.Damaged(info.Offset, "the frame is not the one that the index names");
            if (!Frame.HasRightChecksum(bytes)) throw _part.Damaged(info.Offset, "the checksum of the frame is wrong");
            if (!bytes.Slice(Frame.HeaderSizeBytes, info.MetaLength).SequenceEqual(Meta(index)))
                throw _part.Damaged(info.Offset, "the frame does not say what the index says");
            return Frame.Unpack(frame, info) ?? throw _part.Damaged(info.Offset, "the frame does not decompress");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    public RecordingFormatException Damaged(int index, string what) => _part.Damaged(_frames[index].Offset, what);

    /// <summary>The first <paramref name="count"/> frames only.</summary>
    public FrameTable Take(int count)
    {
        int metaLength = count == _frames.Length ? _meta.Length : _metaStarts[count];
        return new FrameTable(_part, _frames[..count], _meta[..metaLength]);
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
        VarInt.Write(payload, (ulong)_frames.Length);
        for (int i = 0; i < _frames.Length; i++)
        {
            FrameInfo f = _frames[i];
            VarInt.Write(payload, (ulong)f.Kind);
            VarInt.Write(payload, (ulong)f.Compression);
            VarInt.Write(payload, (ulong)f.MetaLength);
            VarInt.Write(payload, (ulong)f.StoredLength);
            VarInt.Write(payload, (ulong)f.RawLength);
            payload.Write(Meta(i));
        }
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
        var builder = new FrameTableBuilder();
        long offset = 0;
        for (ulong i = 0; i < count; i++)
        {
            if (!reader.TryRead(out ulong kind) || !reader.TryRead(out ulong flags) || !reader.TryRead(out ulong metaLength)
                || !reader.TryRead(out ulong stored) || !reader.TryRead(out ulong raw)) throw index.Damaged(0, "the index is cut off");
            if (kind > 0x7F || flags > (ulong)FrameCompression.Lz4 || (metaLength | stored | raw) > int.MaxValue)
                throw index.Damaged(0, $"entry {i} of the index is not possible");
            var info = new FrameInfo((FrameKind)kind, (FrameCompression)flags, offset, (int)metaLength, (int)stored, (int)raw);
            if (!Frame.IsPlausible(info) || info.End > part.SizeBytes || !reader.TryTake(info.MetaLength, out ReadOnlySpan<byte> meta))
                throw index.Damaged(0, $"entry {i} of the index is not possible");
            builder.Add(info, meta);
            offset = info.End;
        }
        if (offset != part.SizeBytes || !reader.AtEnd) throw index.Damaged(0, "the index does not cover its part");
        return builder.Build(part);
    }
}
