using System;
using System.Collections.Generic;
using System.Threading;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>
/// Page copies in memory, for snapshots near the cursor and for diversions. Ids are negative. Freed pages are used again. Thread-safe;
/// reading takes no lock.
/// </summary>
internal sealed class PagePool
{
    private const int PagesPerSlab = 256;
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private byte[][] _slabs = [];
    private int[] _references = new int[PagesPerSlab];
    private int _count;

    /// <summary>Bytes of pages in use.</summary>
    public long UsedSizeBytes
    {
        get
        {
            lock (_gate) return (long)(_count - _free.Count) * PagedMemory.PageSizeBytes;
        }
    }

    /// <summary>Copies a page in; its id, on which the caller has a reference.</summary>
    public int Add(ReadOnlySpan<byte> content)
    {
        int number;
        lock (_gate)
        {
            if (!_free.TryPop(out number))
            {
                number = _count++;
                if (number / PagesPerSlab == _slabs.Length)
                {
                    var grown = new byte[_slabs.Length + 1][];
                    _slabs.CopyTo(grown, 0);
                    grown[^1] = GC.AllocateUninitializedArray<byte>(PagesPerSlab * PagedMemory.PageSizeBytes);
                    Volatile.Write(ref _slabs, grown);
                    Array.Resize(ref _references, grown.Length * PagesPerSlab);
                }
            }
            _references[number] = 1;
        }
        content.CopyTo(Slot(number));
        return -1 - number;
    }

    public void Read(int id, Span<byte> destination) => Slot(-1 - id).CopyTo(destination);

    public UInt128 HashOf(int id) => PageHash.OfContent(Slot(-1 - id));

    public bool IsZero(int id) => PageHash.IsZero(Slot(-1 - id));

    /// <summary>One more reference to each.</summary>
    public void AddReferences(ReadOnlySpan<int> ids)
    {
        lock (_gate)
            foreach (int id in ids) _references[-1 - id]++;
    }

    /// <summary>One reference less to each; a page without any is free.</summary>
    public void Release(ReadOnlySpan<int> ids)
    {
        lock (_gate)
            foreach (int id in ids)
            {
                int left = --_references[-1 - id];
                Vmm.Invariant.Check(left >= 0);
                if (left == 0) _free.Push(-1 - id);
            }
    }

    private Span<byte> Slot(int number) =>
        Volatile.Read(ref _slabs)[number / PagesPerSlab].AsSpan(number % PagesPerSlab * PagedMemory.PageSizeBytes,
            PagedMemory.PageSizeBytes);
}

/// <summary>
/// All pool pages that a snapshot's maps name. Counted: it gives up its pages when the last of those who hold it (the cache, a session that
/// stands on it, a diversion) is done.
/// </summary>
internal sealed class PoolPages
{
    private readonly PagePool _pool;
    private readonly int[] _ids;
    private int _holders = 1;

    /// <param name="pool">Their pool.</param>
    /// <param name="ids">Ids of pages on which the caller has a reference each, handed over to this.</param>
    public PoolPages(PagePool pool, int[] ids)
    {
        _pool = pool;
        _ids = ids;
    }

    public ReadOnlySpan<int> Ids => _ids;

    /// <summary>What it takes beside the pages.</summary>
    public long SizeBytes => (long)_ids.Length * sizeof(int);

    public void Hold()
    {
        int now = Interlocked.Increment(ref _holders);
        Vmm.Invariant.Check(now > 1);
    }

    public void Release()
    {
        int left = Interlocked.Decrement(ref _holders);
        Vmm.Invariant.Check(left >= 0);
        if (left == 0) _pool.Release(_ids);
    }
}
