using System;

namespace Vmm.Paging;

/// <summary>An entry of a shadow page table: what one 4 KiB page of linear addresses maps to, all guest levels composed.</summary>
/// <param name="Value">Bits as in the constants; the guest-physical page address in bits 12..51.</param>
public readonly record struct ShadowEntry(ulong Value)
{
    public const ulong PresentBit = 1, WritableBit = 2, UserBit = 4, NoExecuteBit = 8, DirtyBit = 16, GlobalBit = 32, LargeBit = 64;

    public bool IsPresent => (Value & PresentBit) != 0;
    public bool IsWritable => (Value & WritableBit) != 0;
    public bool IsUser => (Value & UserBit) != 0;
    public bool IsNoExecute => (Value & NoExecuteBit) != 0;
    /// <summary>The guest's entry has its dirty bit set: a store need not walk.</summary>
    public bool IsDirty => (Value & DirtyBit) != 0;
    /// <summary>A 4 KiB part of a large guest page.</summary>
    public bool IsPartOfLargePage => (Value & LargeBit) != 0;
    public ulong PhysicalPage => Value & PageTableEntry.AddressMask;

    public static ShadowEntry From(in PageWalk walk) => new((walk.Physical & PageTableEntry.AddressMask) | PresentBit
        | (walk.Writable ? WritableBit : 0) | (walk.User ? UserBit : 0) | (walk.NoExecute ? NoExecuteBit : 0) | (walk.Dirty ? DirtyBit : 0)
        | (walk.Global ? GlobalBit : 0) | (walk.PageSizeBytes > 4096 ? LargeBit : 0));
}

/// <summary>
/// The shadow of one guest address space: a four-level radix tree over linear page numbers, whatever the guest's paging mode, filled
/// lazily. It survives CR3 switches.
/// </summary>
public sealed class ShadowPageTable(PagingControls controls, ulong firstFetchGeneration)
{
    /// <summary>512 entries, leaves at level 1 and nodes above.</summary>
    private sealed class Node(int level)
    {
        public readonly ulong[]? Leaves = level == 1 ? new ulong[512] : null;
        public readonly Node?[]? Children = level > 1 ? new Node?[512] : null;
        public int UsedCount;
    }

    private readonly Node _root = new(4);
    private Node? _lastLeafNode;
    private ulong _lastLeafTag = ulong.MaxValue;

    public PagingControls Controls { get; } = controls;

    /// <summary>Unique number that changes whenever an executable entry goes away: cached fetch translations carry it.</summary>
    internal ulong FetchGeneration { get; private set; } = firstFetchGeneration;

    /// <summary>
    /// The same for kernels in the upper half of 64-bit addresses, which go on while user programs below come and go: it changes when an executable entry of the upper half goes away,
    /// or of the lower half once a supervisor has executed something there.
    /// </summary>
    internal ulong SupervisorFetchGeneration { get; private set; } = firstFetchGeneration;

    /// <summary>A supervisor has executed something in the lower half.</summary>
    internal bool IsLowerHalfSupervisors { get; set; }

    /// <summary>An executable entry of the range at <paramref name="linear"/> is gone.</summary>
    internal void OnExecutableDropped(ulong linear, ulong generation)
    {
        FetchGeneration = generation;
        if (IsLowerHalfSupervisors || (linear & UpperHalf) != 0) SupervisorFetchGeneration = generation;
    }

    /// <summary>The bit of a linear address that the upper half has set.</summary>
    internal const ulong UpperHalf = 1UL << 47;

    /// <summary>For eviction: when it was last loaded into a CR3.</summary>
    internal ulong LastUsed { get; set; }

    public int FilledCount { get; private set; }

    public ShadowEntry Find(ulong linear)
    {
        ulong tag = (linear & 0xFFFF_FFFF_FFFF) >> 21;
        Node? node = tag == _lastLeafTag ? _lastLeafNode : FindNode(linear, 1);
        if (node is null) return default;
        _lastLeafTag = tag;
        _lastLeafNode = node;
        return new ShadowEntry(node.Leaves![(linear >> 12) & 511]);
    }

    internal void Fill(ulong linear, ShadowEntry entry)
    {
        Node node = _root;
        for (int level = 4; level > 1; level--)
        {
            ref Node? child = ref node.Children![(linear >> (12 + 9 * (level - 1))) & 511];
            if (child is null)
            {
                child = new Node(level - 1);
                node.UsedCount++;
            }
            node = child;
        }
        ref ulong leaf = ref node.Leaves![(linear >> 12) & 511];
        if (leaf == 0)
        {
            node.UsedCount++;
            FilledCount++;
        }
        leaf = entry.Value;
    }

    /// <summary>Whether anything is filled in the aligned range of 2^<paramref name="shift"/> bytes at <paramref name="linear"/>; shift is 12, 21, 22, 30, 39 or 48.</summary>
    internal bool AnyFilled(ulong linear, int shift) => shift switch
    {
        12 => Find(linear).IsPresent,
        22 => FindNode(linear, 1) is not null || FindNode(linear + (1 << 21), 1) is not null,
        >= 48 => _root.UsedCount > 0,
        _ => FindNode(linear, (shift - 12) / 9) is not null,
    };

    /// <summary>Drops the entries of the aligned range of 2^<paramref name="shift"/> bytes. Returns 0 if nothing was filled, 1 if no executable entry was, else 2.</summary>
    internal int Drop(ulong linear, int shift)
    {
        if (shift == 22) return Math.Max(Drop(linear, 21), Drop(linear + (1 << 21), 21));
        int targetLevel = (shift - 12) / 9 + 1; // the level whose entry covers the range: 1 for 4 KiB
        Span<int> indexes = stackalloc int[5];
        var path = new NodePath();
        Node? node = _root;
        for (int level = 4; level > targetLevel; level--)
        {
            indexes[level] = (int)(linear >> (12 + 9 * (level - 1))) & 511;
            path[level] = node;
            node = node.Children![indexes[level]];
            if (node is null) return 0;
        }
        int index = (int)(linear >> (12 + 9 * (targetLevel - 1))) & 511;
        int result;
        if (targetLevel == 1)
        {
            ulong old = node.Leaves![index];
            if (old == 0) return 0;
            node.Leaves[index] = 0;
            FilledCount--;
            result = (old & ShadowEntry.NoExecuteBit) != 0 ? 1 : 2;
        }
        else
        {
            Node? child = node.Children![index];
            if (child is null) return 0;
            node.Children[index] = null;
            FilledCount -= CountLeaves(child);
            _lastLeafTag = ulong.MaxValue;
            result = 2;
        }
        // Empty nodes go, so that a page table that the guest freed stops being one for us.
        node.UsedCount--;
        for (int level = targetLevel + 1; level <= 4 && node.UsedCount == 0; level++)
        {
            Node parent = path[level]!;
            parent.Children![indexes[level]] = null;
            parent.UsedCount--;
            node = parent;
            _lastLeafTag = ulong.MaxValue;
        }
        return result;
    }

    /// <summary>Calls back for each filled entry in ascending order of linear address, from <paramref name="from"/> on, at most <paramref name="maximum"/> of them.</summary>
    public void ForEach(ulong from, int maximum, Action<ulong, ShadowEntry> callback)
    {
        int left = maximum;
        Visit(_root, 4, 0, from & 0xFFFF_FFFF_FFFF, ref left, callback);
    }

    private static void Visit(Node node, int level, ulong linear, ulong from, ref int left, Action<ulong, ShadowEntry> callback)
    {
        int shift = 12 + 9 * (level - 1);
        for (int i = 0; i < 512 && left > 0; i++)
        {
            ulong at = linear | (ulong)i << shift;
            if (at + ((1UL << shift) - 1) < from) continue;
            if (level > 1)
            {
                if (node.Children![i] is { } child) Visit(child, level - 1, at, from, ref left, callback);
            }
            else if (node.Leaves![i] != 0)
            {
                left--;
                // Canonical form: bit 47 extends upwards.
                callback((ulong)((long)(at << 16) >> 16), new ShadowEntry(node.Leaves[i]));
            }
        }
    }

    /// <summary>How many entries are filled in the aligned range of 2^<paramref name="shift"/> bytes at <paramref name="linear"/>; shift is 12, 21, 22, 30 or 39.</summary>
    public int CountFilled(ulong linear, int shift) => shift switch
    {
        12 => Find(linear).IsPresent ? 1 : 0,
        22 => CountFilled(linear, 21) + CountFilled(linear + (1 << 21), 21),
        _ => FindNode(linear, (shift - 12) / 9) is { } node ? CountLeaves(node) : 0,
    };

    private Node? FindNode(ulong linear, int wantedLevel)
    {
        Node? node = _root;
        for (int level = 4; level > wantedLevel && node is not null; level--)
            node = node.Children![(linear >> (12 + 9 * (level - 1))) & 511];
        return node;
    }

    private static int CountLeaves(Node node)
    {
        if (node.Leaves is not null) return node.UsedCount;
        int count = 0;
        foreach (Node? child in node.Children!)
            if (child is not null) count += CountLeaves(child);
        return count;
    }

    [System.Runtime.CompilerServices.InlineArray(5)]
    private struct NodePath
    {
        private Node? _0;
    }
}
