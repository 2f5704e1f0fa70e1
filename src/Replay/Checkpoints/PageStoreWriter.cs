using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Replay.Packages;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>
/// Stores pages once by content. Pages are gathered in chunks, so that compression has something to work with, and chunks are small, so
/// that a single page is cheap to get at. Used by the checkpoint writer's thread only.
/// </summary>
internal sealed class PageStoreWriter(FrameWriter frames)
{
    public const int PagesPerChunk = 16;
    public const int MetaSizeBytes = 8;

    private readonly Dictionary<UInt128, int> _ids = [];
    private readonly List<UInt128> _hashes = [];
    private readonly byte[] _chunk = new byte[PagesPerChunk * (PageHash.SizeBytes + PagedMemory.PageSizeBytes)];
    private readonly byte[] _meta = new byte[MetaSizeBytes];
    private int _pending;

    /// <summary>Different pages stored. Callable from any thread.</summary>
    public int PageCount => _hashes.Count;

    /// <summary>The hash of a page that was stored.</summary>
    public UInt128 HashOf(int id) => _hashes[id - PageId.FirstStored];

    /// <summary>The id of a page, which is stored if it is new.</summary>
    public int Add(UInt128 hash, ReadOnlySpan<byte> content)
    {
        if (_ids.TryGetValue(hash, out int id)) return id;
        id = PageId.FirstStored + _hashes.Count;
        _ids.Add(hash, id);
        _hashes.Add(hash);
        content.CopyTo(_chunk.AsSpan(_pending * PagedMemory.PageSizeBytes));
        if (++_pending == PagesPerChunk) Flush();
        return id;
    }

    /// <summary>The hashes of all pages, one after the other: the part "pages.hashes".</summary>
    public byte[] EncodeHashes()
    {
        var bytes = new byte[_hashes.Count * PageHash.SizeBytes];
        for (int i = 0; i < _hashes.Count; i++) BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(i * PageHash.SizeBytes), _hashes[i]);
        return bytes;
    }

    /// <summary>Writes the last, shorter chunk. Called before the checkpoint that needs its pages.</summary>
    public void Flush()
    {
        if (_pending == 0) return;
        int first = _hashes.Count - _pending;
        int length = _pending * PagedMemory.PageSizeBytes;
        for (int i = 0; i < _pending; i++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(_chunk.AsSpan(length), _hashes[first + i]);
            length += PageHash.SizeBytes;
        }
        BinaryPrimitives.WriteInt32LittleEndian(_meta, first);
        BinaryPrimitives.WriteInt32LittleEndian(_meta.AsSpan(4), _pending);
        frames.Append(FrameKind.PageChunk, _meta, _chunk.AsSpan(0, length), FrameCompression.Lz4);
        _pending = 0;
    }
}
