using System;
using System.Collections.Generic;
using System.Threading;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>
/// Page copies in memory, for snapshots near the cursor and for diversions. Ids are negative. Freed pages are used again. Thread-safe; reading takes no lock.
/// </summary>
internal sealed class PagePool
{
    private const int PagesPerSlab = 256;
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private byte[][] _slabs = [];
    private int _count;

    /// <summary>Bytes of pages in use.</summary>
    public long UsedSizeBytes
    {
        get
        {
            lock (_gate) return (long)(_count - _free.Count) * PagedMemory.PageSizeBytes;
        }
    }

    /// <summary>Copies a page in; its id.</summary>
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
                }
            }
        }
        content.CopyTo(Slot(number));
        return -1 - number;
    }

    public void Read(int id, Span<byte> destination) => Slot(-1 - id).CopyTo(destination);

    public UInt128 HashOf(int id) => PageHash.OfContent(Slot(-1 - id));

    public bool IsZero(int id) => PageHash.IsZero(Slot(-1 - id));

    internal void Free(ReadOnlySpan<int> ids)
    {
        lock (_gate)
            foreach (int id in ids) _free.Push(-1 - id);
    }

    private Span<byte> Slot(int number) =>
        Volatile.Read(ref _slabs)[number / PagesPerSlab].AsSpan(number % PagesPerSlab * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes);
}

/// <summary>
/// The pool pages that a snapshot brought in, and those of the snapshots that it builds on. Counted: its pages are freed when the last snapshot or
/// session that stands on it is done.
/// </summary>
internal sealed class PoolPages
{
    private readonly PagePool _pool;
    private readonly PoolPages? _parent;
    private readonly int[] _ids;
    private int _references = 1;

    /// <summary>Takes over a reference to <paramref name="parent"/>'s pages of its own; the caller holds the first reference to this.</summary>
    public PoolPages(PagePool pool, PoolPages? parent, int[] ids)
    {
        _pool = pool;
        _parent = parent;
        _ids = ids;
        parent?.AddReference();
    }

    public int OwnPageCount => _ids.Length;

    public void AddReference()
    {
        int now = Interlocked.Increment(ref _references);
        Vmm.Invariant.Check(now > 1);
    }

    public void Release()
    {
        PoolPages? group = this;
        while (group is not null)
        {
            int left = Interlocked.Decrement(ref group._references);
            Vmm.Invariant.Check(left >= 0);
            if (left > 0) return;
            group._pool.Free(group._ids);
            group = group._parent;
        }
    }
}
