using System;
using System.Collections.Generic;

namespace Replay.Checkpoints;

/// <summary>
/// What each page of a memory holds: a <see cref="PageId"/> for every page. Immutable. A map that was made from another one shares with it all leaves in which nothing changed, so that a
/// snapshot takes the memory of what was written since the one before, and comparing the two skips what they share.
/// </summary>
internal sealed class PageMap
{
    private const int LeafShift = 7;
    private const int LeafLength = 1 << LeafShift;
    private const int LeafOverheadBytes = 24, SizeBytesOfLeaf = LeafLength * sizeof(int) + LeafOverheadBytes;

    // The last one may be shorter.
    private readonly int[][] _leaves;

    /// <summary>No page at all.</summary>
    public static PageMap Empty { get; } = new([], 0);

    private PageMap(int[][] leaves, int length) => (_leaves, Length) = (leaves, length);

    /// <summary>How many pages there are.</summary>
    public int Length { get; }

    /// <summary>The id of a page.</summary>
    public int this[int page] => _leaves[page >> LeafShift][page & (LeafLength - 1)];

    /// <summary>A map of these ids.</summary>
    /// <param name="ids">By page.</param>
    /// <param name="like">Leaves that are equal are taken from it; null: all are new, but those that are all the same are one.</param>
    public static PageMap Of(ReadOnlySpan<int> ids, PageMap? like = null)
    {
        var leaves = new int[(ids.Length + LeafLength - 1) >> LeafShift][];
        int[]? uniform = null;
        for (int i = 0; i < leaves.Length; i++)
        {
            ReadOnlySpan<int> part = ids[(i << LeafShift)..Math.Min(ids.Length, (i + 1) << LeafShift)];
            if (like is not null && i < like._leaves.Length && part.SequenceEqual(like._leaves[i])) leaves[i] = like._leaves[i];
            else if (uniform is not null && part.SequenceEqual(uniform)) leaves[i] = uniform;
            else leaves[i] = part.ToArray();
            if (uniform is null && !part.ContainsAnyExcept(part[0])) uniform = leaves[i];
        }
        return new PageMap(leaves, ids.Length);
    }

    /// <summary>The same with other ids for some pages.</summary>
    /// <param name="pages">In ascending order.</param>
    /// <param name="idOf">The new id of a page; called once for each, in their order.</param>
    public PageMap With(List<int> pages, Func<int, int> idOf)
    {
        if (pages.Count == 0) return this;
        var leaves = (int[][])_leaves.Clone();
        int copied = -1;
        foreach (int page in pages)
        {
            int leaf = page >> LeafShift;
            if (leaf != copied) leaves[leaf] = (int[])leaves[leaf].Clone();
            copied = leaf;
            leaves[leaf][page & (LeafLength - 1)] = idOf(page);
        }
        return new PageMap(leaves, Length);
    }

    /// <summary>Calls back, in ascending order, for every page whose id is another one in another map of the same memory.</summary>
    public void ForEachDifference<T>(PageMap other, ref T visitor) where T : struct, IPageVisitor
    {
        if (ReferenceEquals(this, other)) return;
        for (int leaf = 0; leaf < _leaves.Length; leaf++)
        {
            int[] here = _leaves[leaf], there = other._leaves[leaf];
            if (ReferenceEquals(here, there)) continue;
            for (int i = here.AsSpan().CommonPrefixLength(there); i < here.Length; i++, i += here.AsSpan(i).CommonPrefixLength(there.AsSpan(i)))
                visitor.Visit((leaf << LeafShift) + i);
        }
    }

    /// <summary>The memory that it takes beside another map of the same memory; null: by itself. Leaves that the two share at the same place count for nothing.</summary>
    public long SizeBytesBeside(PageMap? other)
    {
        if (ReferenceEquals(this, other)) return 0;
        long size = (long)_leaves.Length * nint.Size;
        for (int i = 0; i < _leaves.Length; i++)
            if (!ReferenceEquals(_leaves[i], other?._leaves[i])) size += SizeBytesOfLeaf;
        return size;
    }

    /// <summary>All ids, by page.</summary>
    public int[] ToArray()
    {
        var ids = new int[Length];
        for (int i = 0; i < _leaves.Length; i++) _leaves[i].CopyTo(ids, i << LeafShift);
        return ids;
    }
}

/// <summary>Is told of pages.</summary>
internal interface IPageVisitor
{
    void Visit(int page);
}
