using System;
using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Messages;
using Replay.Packages;
using Vmm.Memory;

namespace Replay.Recording;

/// <summary>
/// Hashes, compresses and writes checkpoints on a thread of its own. The engine's thread sends batches through a bounded queue, and gets
/// back digests and empty slabs; nothing else is shared.
/// </summary>
internal sealed class CheckpointWriter : IDisposable
{
    public const int PagesPerSlab = 64;
    private const int MaxQueuedBatches = 12;
    /// <summary>A key is written after so many checkpoints at the latest, so that finding a map never takes long.</summary>
    private const int MaxCheckpointsPerKey = 64;

    private readonly BlockingCollection<CheckpointBatch> _queue = new(MaxQueuedBatches);
    private readonly BlockingCollection<(Vmm.Time.Position Position, StateDigest Digest)> _digests = [];
    private readonly ConcurrentBag<byte[]> _slabs = [];
    private readonly FrameWriter _checkpointFrames, _pageFrames;
    private readonly PageStoreWriter _pages;
    private readonly MemoryLayout _layout;
    private readonly ILogger _log;
    private readonly Thread _thread;

    private static readonly byte[] s_zeros = new byte[PagedMemory.PageSizeBytes];

    // The writer thread's own.
    private readonly int[][] _maps;
    private readonly List<PageChange>[] _changes;
    private readonly ArrayBufferWriter<byte> _encoded = new(), _payload = new();
    private readonly byte[] _meta = new byte[CheckpointMeta.SizeBytes];
    private readonly byte[] _imagePage = new byte[PagedMemory.PageSizeBytes];
    private UInt128 _pageSum;
    private int _sinceKey;
    private long _changesSinceKey;

    private readonly object _written = new();
    private volatile Exception? _failure;
    private int _checkpointCount;

    public CheckpointWriter(MemoryLayout layout, FrameWriter checkpointFrames, FrameWriter pageFrames, ILogger? log = null)
    {
        _log = log ?? NullLogger.Instance;
        _layout = layout;
        _checkpointFrames = checkpointFrames;
        _pageFrames = pageFrames;
        _pages = new PageStoreWriter(pageFrames);
        _maps = layout.UntouchedMaps();
        _changes = new List<PageChange>[layout.Count];
        for (int i = 0; i < _changes.Length; i++) _changes[i] = [];
        checkpointFrames.Append(FrameKind.MemoryTable, default, layout.Encode());
        _thread = new Thread(WriteBatches) { Name = "checkpoint writer", IsBackground = true };
        _thread.Start();
    }

    public int CheckpointCount => Volatile.Read(ref _checkpointCount);
    public int PageCount => _pages.PageCount;
    public long SizeBytes => _checkpointFrames.SizeBytes + _pageFrames.SizeBytes;

    /// <summary>A buffer for <see cref="PagesPerSlab"/> pages.</summary>
    public byte[] RentSlab() =>
        _slabs.TryTake(out byte[]? slab) ? slab : GC.AllocateUninitializedArray<byte>(PagesPerSlab * PagedMemory.PageSizeBytes);

    /// <summary>Hands a batch over; waits while the writer is far behind.</summary>
    public void Enqueue(CheckpointBatch batch)
    {
        ThrowIfFailed();
        _queue.Add(batch);
    }

    /// <summary>The next digest, in the order of checkpoints; waits for it.</summary>
    public (Vmm.Time.Position Position, StateDigest Digest) TakeDigest()
    {
        while (true)
        {
            ThrowIfFailed();
            if (_digests.TryTake(out (Vmm.Time.Position Position, StateDigest Digest) next, millisecondsTimeout: 100)) return next;
        }
    }

    /// <summary>Waits until so many checkpoints are on disk.</summary>
    public void WaitFor(int checkpointCount)
    {
        lock (_written)
            while (CheckpointCount < checkpointCount)
            {
                ThrowIfFailed();
                Monitor.Wait(_written, 100);
            }
    }

    /// <summary>Waits until all is written; no batch may follow. Returns the hashes of all pages.</summary>
    public byte[] Complete()
    {
        if (!_queue.IsAddingCompleted) _queue.CompleteAdding();
        _thread.Join();
        ThrowIfFailed();
        return _pages.EncodeHashes();
    }

    public void Dispose()
    {
        if (!_queue.IsAddingCompleted) _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
        _digests.Dispose();
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure) throw new RecordingException($"checkpoints cannot be written: {failure.Message}");
    }

    private void WriteBatches()
    {
        foreach (CheckpointBatch batch in _queue.GetConsumingEnumerable())
        {
            // After a failure batches are only taken, so that the engine does not wait for ever; it learns of it at its next.
            if (_failure is not null) continue;
            try
            {
                StorePages(batch);
                if (batch.IsLast) WriteCheckpoint(batch);
            }
            catch (IOException e)
            {
                _failure = e;
            }
            catch (UnauthorizedAccessException e)
            {
                _failure = e;
            }
        }
    }

    private void StorePages(CheckpointBatch batch)
    {
        int copied = 0;
        foreach ((int memoryIndex, int pageIndex, bool isZero) in batch.Pages)
        {
            MemoryDescription memory = _layout[memoryIndex];
            ReadOnlySpan<byte> content = s_zeros;
            if (!isZero)
            {
                content = batch.Slabs[copied / PagesPerSlab].AsSpan(copied % PagesPerSlab * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes);
                copied++;
            }
            int id = Store(memory, pageIndex, content, isZero);
            ref int mapped = ref _maps[memoryIndex][pageIndex];
            _changes[memoryIndex].Add(new PageChange(pageIndex, id));
            if (mapped == id) continue;
            _pageSum += PageHash.Contribution(memory, pageIndex, id, HashOf(id)) - PageHash.Contribution(memory, pageIndex, mapped,
                HashOf(mapped));
            mapped = id;
        }
        foreach (byte[] slab in batch.Slabs) _slabs.Add(slab);
    }

    private int Store(MemoryDescription memory, int pageIndex, ReadOnlySpan<byte> content, bool isZero)
    {
        if (!memory.Image.IsEmpty)
        {
            // A disk page that holds what the image has is an untouched page, whatever was written in between.
            memory.ReadImagePage(pageIndex, _imagePage);
            if (content.SequenceEqual(_imagePage)) return PageId.Base;
        }
        return isZero ? PageId.Zero : _pages.Add(PageHash.OfContent(content), content);
    }

    private UInt128 HashOf(int id) => id >= PageId.FirstStored ? _pages.HashOf(id) : UInt128.Zero;

    private void WriteCheckpoint(CheckpointBatch batch)
    {
        _pages.Flush();
        int dirty = 0;
        foreach (List<PageChange> changes in _changes) dirty += changes.Count;
        bool isKey = batch.Index == 0 || ++_sinceKey >= MaxCheckpointsPerKey || (_changesSinceKey += dirty) > TouchedPages();
        StateDigest digest = PageHash.Digest(batch.State, _pageSum);

        _payload.ResetWrittenCount();
        var w = new MessagePackWriter(_payload);
        w.WriteArrayHeader(3);
        w.Write(batch.State);
        w.WriteArrayHeader(_layout.Count);
        foreach (List<PageChange> changes in _changes)
        {
            _encoded.ResetWrittenCount();
            PageMapCoding.EncodeChanges(_encoded, CollectionsMarshal.AsSpan(changes));
            w.Write(_encoded.WrittenSpan);
            changes.Clear();
        }
        if (isKey) WriteKeyMaps(ref w);
        else w.WriteNil();
        w.Flush();
        new CheckpointMeta(batch.Position, batch.GuestNanoseconds, batch.Sequence, _pageSum, digest, batch.Index, dirty,
            isKey).Write(_meta);
        _checkpointFrames.Append(FrameKind.Checkpoint, _meta, _payload.WrittenSpan, FrameCompression.Lz4);
        _log.CheckpointWritten(batch.Index, batch.Position, dirty, _payload.WrittenCount, SizeBytes);
        lock (_written)
        {
            Volatile.Write(ref _checkpointCount, batch.Index + 1);
            Monitor.PulseAll(_written);
        }
        _digests.Add((batch.Position, digest));
    }

    private void WriteKeyMaps(ref MessagePackWriter w)
    {
        w.WriteArrayHeader(_layout.Count);
        for (int m = 0; m < _maps.Length; m++)
        {
            _encoded.ResetWrittenCount();
            PageMapCoding.EncodeMap(_encoded, _maps[m], _layout[m].UntouchedId);
            w.Write(_encoded.WrittenSpan);
        }
        _sinceKey = 0;
        _changesSinceKey = 0;
    }

    private long TouchedPages()
    {
        long touched = 4096;
        for (int m = 0; m < _maps.Length; m++)
        {
            int untouched = _layout[m].UntouchedId;
            foreach (int id in _maps[m])
                if (id != untouched) touched++;
        }
        return touched;
    }
}
