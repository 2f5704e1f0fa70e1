using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using Replay.Packages;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>The pages of a recording, to read. Recently used chunks are kept decompressed, up to a budget. Thread-safe.</summary>
internal sealed class PageStore
{
    private sealed class Chunk(int index, byte[] content)
    {
        public int Index => index;
        public byte[] Content => content;
        /// <summary>Set when used, cleared when the clock hand passes: second-chance replacement.</summary>
        public bool WasUsed = true;
    }

    private readonly FrameTable _frames;
    private readonly int[] _firstPages;
    private readonly Chunk?[] _chunks;
    private readonly Queue<Chunk> _cached = new();
    private readonly Lock _gate = new();
    private UInt128[]? _hashes;
    private long _cachedSizeBytes;

    /// <exception cref="RecordingFormatException">The chunks do not follow each other.</exception>
    public PageStore(FrameTable frames)
    {
        _frames = frames;
        _firstPages = new int[frames.Count];
        _chunks = new Chunk?[frames.Count];
        int next = 0;
        for (int i = 0; i < frames.Count; i++)
        {
            if (frames[i].Kind != FrameKind.PageChunk || frames[i].MetaLength != PageStoreWriter.MetaSizeBytes)
                throw frames.Damaged(i, "it is not a chunk of pages");
            int first = BinaryPrimitives.ReadInt32LittleEndian(frames.Meta(i));
            int count = BinaryPrimitives.ReadInt32LittleEndian(frames.Meta(i)[4..]);
            if (first != next || count is < 1 or > PageStoreWriter.PagesPerChunk
                || frames[i].RawLength != count * (PagedMemory.PageSizeBytes + PageHash.SizeBytes))
                throw frames.Damaged(i, "the chunk of pages does not continue the one before");
            _firstPages[i] = first;
            next = first + count;
        }
        PageCount = next;
    }

    public int PageCount { get; }
    public FrameTable Frames => _frames;

    /// <summary>Limit in bytes for decompressed chunks.</summary>
    public long CacheBudgetBytes { get; set; } = 128L << 20;

    /// <summary>Copies a stored page out.</summary>
    public void Read(int id, Span<byte> destination)
    {
        int page = id - PageId.FirstStored;
        Vmm.Invariant.Check((uint)page < (uint)PageCount);
        int index = ChunkOf(page);
        byte[] content = Load(index);
        content.AsSpan((page - _firstPages[index]) * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes).CopyTo(destination);
    }

    /// <summary>The hash of a stored page, as recorded.</summary>
    public UInt128 HashOf(int id) => (_hashes ?? LoadHashes())[id - PageId.FirstStored];

    /// <summary>Checks that every page has the hash that it was stored under.</summary>
    public void VerifyChunk(int index)
    {
        byte[] content = _frames.ReadPayload(index);
        int count = content.Length / (PagedMemory.PageSizeBytes + PageHash.SizeBytes);
        for (int i = 0; i < count; i++)
        {
            UInt128 stored = BinaryPrimitives.ReadUInt128LittleEndian(content.AsSpan(count * PagedMemory.PageSizeBytes
                + i * PageHash.SizeBytes));
            if (PageHash.OfContent(content.AsSpan(i * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes)) != stored)
                throw _frames.Damaged(index, $"page {_firstPages[index] + i} has another hash than it was stored under");
        }
    }

    /// <summary>The hashes of all pages, one after the other: the part "pages.hashes".</summary>
    public byte[] EncodeHashes()
    {
        var bytes = new byte[(long)PageCount * PageHash.SizeBytes];
        for (int i = 0; i < _frames.Count; i++)
        {
            byte[] content = _frames.ReadPayload(i);
            int count = content.Length / (PagedMemory.PageSizeBytes + PageHash.SizeBytes);
            content.AsSpan(count * PagedMemory.PageSizeBytes).CopyTo(bytes.AsSpan(_firstPages[i] * PageHash.SizeBytes));
        }
        return bytes;
    }

    /// <summary>Where <see cref="EncodeHashes"/> was put; without it hashes come from the chunks.</summary>
    public PartReader? HashPart { get; init; }

    private UInt128[] LoadHashes()
    {
        byte[] bytes;
        if (HashPart is null) bytes = EncodeHashes();
        else
        {
            if (HashPart.SizeBytes != (long)PageCount * PageHash.SizeBytes)
                throw HashPart.Damaged(0, "it has another number of hashes than there are pages");
            bytes = HashPart.ReadAll(int.MaxValue);
        }
        var hashes = new UInt128[PageCount];
        for (int i = 0; i < hashes.Length; i++) hashes[i] = BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(i * PageHash.SizeBytes));
        _hashes = hashes;
        return hashes;
    }

    private int ChunkOf(int page)
    {
        int found = Array.BinarySearch(_firstPages, page);
        return found >= 0 ? found : ~found - 1;
    }

    private byte[] Load(int index)
    {
        if (Volatile.Read(ref _chunks[index]) is { } present)
        {
            present.WasUsed = true;
            return present.Content;
        }
        // Two threads may decompress the same chunk; the second result is dropped.
        var loaded = new Chunk(index, _frames.ReadPayload(index));
        lock (_gate)
        {
            if (_chunks[index] is { } other) return other.Content;
            _chunks[index] = loaded;
            _cached.Enqueue(loaded);
            _cachedSizeBytes += loaded.Content.Length;
            while (_cachedSizeBytes > CacheBudgetBytes && _cached.Count > 1) EvictOne();
        }
        return loaded.Content;
    }

    private void EvictOne()
    {
        Chunk oldest = _cached.Dequeue();
        if (oldest.WasUsed)
        {
            oldest.WasUsed = false;
            _cached.Enqueue(oldest);
            return;
        }
        _chunks[oldest.Index] = null;
        _cachedSizeBytes -= oldest.Content.Length;
    }
}
