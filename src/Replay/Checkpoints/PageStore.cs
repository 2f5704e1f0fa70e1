using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using Replay.Packages;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>The pages of a recording, to read. Recently used chunks are kept decompressed, up to a budget; their arrays are used again, as the garbage collector would keep hundreds of
/// them that nobody needs. Thread-safe, also while the store of a recording that is still being made grows.</summary>
internal sealed class PageStore
{
    private const int MaximumSpares = 8;

    private sealed class Chunk(int index, byte[] content)
    {
        private readonly Lock _gate = new();
        private byte[]? _content = content;

        public int Index => index;
        public int SizeBytes { get; } = content.Length;
        /// <summary>Set when used, cleared when the clock hand passes: second-chance replacement.</summary>
        public volatile bool WasUsed = true;

        /// <summary>False: it is not kept any more.</summary>
        public bool TryRead(int offset, Span<byte> destination)
        {
            WasUsed = true;
            lock (_gate)
            {
                if (_content is null) return false;
                _content.AsSpan(offset, destination.Length).CopyTo(destination);
                return true;
            }
        }

        /// <summary>Nobody reads it from now on.</summary>
        public byte[] Take()
        {
            lock (_gate)
            {
                byte[] taken = _content!;
                _content = null;
                return taken;
            }
        }
    }

    /// <summary>What is known of the chunks, and those that are in memory; more of them are another one.</summary>
    private sealed record Index(FrameTable Frames, int[] FirstPages, Chunk?[] Chunks, int PageCount);

    private readonly Queue<Chunk> _cached = new();
    private readonly List<byte[]> _spares = [];
    private readonly Lock _gate = new();
    private volatile Index _index;
    private UInt128[]? _hashes;
    private long _cachedSizeBytes;

    /// <exception cref="RecordingFormatException">The chunks do not follow each other.</exception>
    public PageStore(FrameTable frames) => _index = ReadIndex(frames, new Index(frames, [], [], 0));

    public int PageCount => _index.PageCount;
    public FrameTable Frames => _index.Frames;

    /// <summary>Goes on with what was written since.</summary>
    /// <param name="frames">Those that are known, and more.</param>
    public void Grow(FrameTable frames)
    {
        lock (_gate)
        {
            _index = ReadIndex(frames, _index);
            _hashes = null;
        }
    }

    private static Index ReadIndex(FrameTable frames, Index known)
    {
        Vmm.Invariant.Check(frames.Count >= known.Chunks.Length);
        var firstPages = new int[frames.Count];
        var chunks = new Chunk?[frames.Count];
        known.FirstPages.CopyTo(firstPages, 0);
        known.Chunks.CopyTo(chunks, 0);
        int next = known.PageCount;
        for (int i = known.Chunks.Length; i < frames.Count; i++)
        {
            bool isPacked = frames[i].Kind is FrameKind.PackedPages or FrameKind.DifferentPages;
            if (!isPacked && frames[i].Kind != FrameKind.PageChunk || frames[i].MetaLength != PageStoreWriter.MetaSizeBytes)
                throw frames.Damaged(i, "it is not a chunk of pages");
            int first = BinaryPrimitives.ReadInt32LittleEndian(frames.Meta(i));
            int count = BinaryPrimitives.ReadInt32LittleEndian(frames.Meta(i)[4..]);
            if (first != next || count < 1 || count > (isPacked ? PackedPages.PagesPerChunk : PageStoreWriter.PagesPerChunk) || first > int.MaxValue - count - PageId.FirstStored
                || (isPacked ? frames[i].RawLength > count * PackedPages.MaximumSizeBytesOfPage : frames[i].RawLength != count * PackedPages.PageWithHashSizeBytes))
                throw frames.Damaged(i, "the chunk of pages does not continue the one before");
            firstPages[i] = first;
            next = first + count;
        }
        return new Index(frames, firstPages, chunks, next);
    }

    /// <summary>Limit in bytes for decompressed chunks.</summary>
    public long CacheBudgetBytes { get; set; } = 128L << 20;

    /// <summary>Copies a stored page out.</summary>
    public void Read(int id, Span<byte> destination)
    {
        int page = id - PageId.FirstStored;
        Vmm.Invariant.Check((uint)page < (uint)PageCount);
        Index index = _index;
        int chunk = ChunkOf(index, page);
        int offset = (page - index.FirstPages[chunk]) * PagedMemory.PageSizeBytes;
        destination = destination[..PagedMemory.PageSizeBytes];
        if (Volatile.Read(ref index.Chunks[chunk])?.TryRead(offset, destination) == true) return;
        byte[] content = ReadChunk(index, chunk);
        content.AsSpan(offset, PagedMemory.PageSizeBytes).CopyTo(destination);
        Keep(chunk, content);
    }

    /// <summary>The hash of a stored page, as recorded.</summary>
    public UInt128 HashOf(int id) => (_hashes ?? LoadHashes())[id - PageId.FirstStored];

    /// <summary>Checks that every page has the hash that it was stored under.</summary>
    public void VerifyChunk(int index)
    {
        byte[] content = ReadChunk(_index, index);
        int count = content.Length / PackedPages.PageWithHashSizeBytes;
        for (int i = 0; i < count; i++)
        {
            UInt128 stored = BinaryPrimitives.ReadUInt128LittleEndian(content.AsSpan(count * PagedMemory.PageSizeBytes
                + i * PageHash.SizeBytes));
            if (PageHash.OfContent(content.AsSpan(i * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes)) != stored)
                throw _index.Frames.Damaged(index, $"page {_index.FirstPages[index] + i} has another hash than it was stored under");
        }
        lock (_gate) Spare(content);
    }

    /// <summary>The hashes of all pages, one after the other: the part "pages.hashes".</summary>
    public byte[] EncodeHashes()
    {
        Index index = _index;
        var bytes = new byte[(long)index.PageCount * PageHash.SizeBytes];
        for (int i = 0; i < index.Frames.Count; i++)
        {
            byte[] content = index.Frames.ReadPayload(i);
            int count = (i + 1 < index.Frames.Count ? index.FirstPages[i + 1] : index.PageCount) - index.FirstPages[i];
            content.AsSpan(content.Length - count * PageHash.SizeBytes).CopyTo(bytes.AsSpan(index.FirstPages[i] * PageHash.SizeBytes));
        }
        return bytes;
    }

    /// <summary>Where <see cref="EncodeHashes"/> was put; without it hashes come from the chunks.</summary>
    public PartReader? HashPart { get; init; }

    /// <summary>Where packed chunks find what images have; null: such a chunk is damage.</summary>
    public ImageBytes? Images { get; init; }

    private byte[] ReadChunk(Index index, int chunk)
    {
        byte[] payload = index.Frames.ReadPayload(chunk, Allocate);
        if (index.Frames[chunk].Kind == FrameKind.PageChunk) return payload;
        int count = BinaryPrimitives.ReadInt32LittleEndian(index.Frames.Meta(chunk)[4..]);
        byte[] content = Allocate(count * PackedPages.PageWithHashSizeBytes);
        if (!PackedPages.TryExpand(payload, count, index.Frames[chunk].Kind, Images, content)) throw index.Frames.Damaged(chunk, "the packed pages are not possible");
        lock (_gate) Spare(payload);
        return content;
    }

    private byte[] Allocate(int sizeBytes)
    {
        lock (_gate)
        {
            int found = _spares.FindIndex(one => one.Length == sizeBytes);
            if (found >= 0)
            {
                byte[] spare = _spares[found];
                _spares.RemoveAt(found);
                return spare;
            }
        }
        return GC.AllocateUninitializedArray<byte>(sizeBytes);
    }

    // Under the lock. The oldest makes room: lengths may differ.
    private void Spare(byte[] array)
    {
        if (_spares.Count >= MaximumSpares) _spares.RemoveAt(0);
        _spares.Add(array);
    }

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
        var hashes = new UInt128[bytes.Length / PageHash.SizeBytes];
        for (int i = 0; i < hashes.Length; i++) hashes[i] = BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(i * PageHash.SizeBytes));
        _hashes = hashes;
        return hashes;
    }

    private static int ChunkOf(Index index, int page)
    {
        int found = Array.BinarySearch(index.FirstPages, page);
        return found >= 0 ? found : ~found - 1;
    }

    // Two threads may have decompressed the same chunk: one of the two is kept.
    private void Keep(int chunk, byte[] content)
    {
        lock (_gate)
        {
            Chunk?[] chunks = _index.Chunks;
            if (chunks[chunk] is not null)
            {
                Spare(content);
                return;
            }
            Volatile.Write(ref chunks[chunk], new Chunk(chunk, content));
            _cached.Enqueue(chunks[chunk]!);
            _cachedSizeBytes += content.Length;
            while (_cachedSizeBytes > CacheBudgetBytes && _cached.Count > 1) EvictOne();
        }
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
        _index.Chunks[oldest.Index] = null;
        _cachedSizeBytes -= oldest.SizeBytes;
        Spare(oldest.Take());
    }
}
