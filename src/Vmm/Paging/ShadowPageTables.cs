using System.Collections.Generic;
using System.Runtime.InteropServices;
using Vmm.Memory;

namespace Vmm.Paging;

/// <summary>What the shadow page tables have cost since the machine was built. Not part of the machine's state: caching is unobservable.</summary>
public sealed class ShadowCounters
{
    /// <summary>Entries filled by the walker.</summary>
    public long ShadowFaults;
    /// <summary>Walks that ended in a page fault for the guest.</summary>
    public long GuestFaults;
    /// <summary>Stores to pages that serve as guest page tables.</summary>
    public long TracedWrites;
    /// <summary>Filled entries or subtrees that a traced write, INVLPG or eviction dropped.</summary>
    public long Invalidations;
}

/// <summary>Learns which cached translations are no longer true.</summary>
internal interface ITranslationListener
{
    /// <summary>The entry of one page (shift 12) or a larger range of <paramref name="table"/> was dropped.</summary>
    void OnDropped(ShadowPageTable table, ulong linear, int shift);

    /// <summary>A vCPU translates through it now.</summary>
    bool IsInUse(ShadowPageTable table);

    /// <summary>A RAM page got traits that forbid direct stores.</summary>
    void OnPageProtected(int pageIndex);
}

/// <summary>
/// The shadow page tables of a machine, one per guest address space, kept coherent eagerly: a guest page that was read as a page table
/// is write-protected (<see cref="PageTraits.PageTable"/>), and a store to it drops what the changed entries map. So a filled entry is
/// always in step with the guest's tables, INVLPG and CR3 loads have nothing to do, and no stale translation is hidden state.
/// </summary>
public sealed class ShadowPageTables
{
    /// <summary>More address spaces than this and the least recently loaded one goes.</summary>
    private const int MaximumCount = 128;

    /// <summary>A guest page used as a table: in which space, at which level, for which range.</summary>
    private readonly record struct TableUse(ShadowPageTable Space, int Level, ulong Linear);

    private readonly PhysicalMemory _memory;
    private readonly Dictionary<PagingControls, ShadowPageTable> _spaces = [];
    private readonly Dictionary<int, List<TableUse>> _uses = [];
    private readonly Dictionary<int, long> _tracedWrites = [];
    private ulong _generation, _useCounter;

    internal ShadowPageTables(PhysicalMemory memory) => _memory = memory;

    internal ITranslationListener? Listener { get; set; }

    public ShadowCounters Counters { get; } = new();

    public IReadOnlyCollection<ShadowPageTable> Spaces => _spaces.Values;

    /// <summary>Pages of RAM that are write-protected because they serve as page tables, by index.</summary>
    public IReadOnlyCollection<int> TracedPages => _uses.Keys;

    /// <summary>Stores to a page of RAM, by index, while it served as a page table.</summary>
    public long TracedWritesOf(int pageIndex) => _tracedWrites.GetValueOrDefault(pageIndex);

    /// <summary>Why a page is write-protected: the ranges that it maps as a page table.</summary>
    public IEnumerable<(ShadowPageTable Space, int Level, ulong Linear)> UsesOf(int pageIndex)
    {
        if (!_uses.TryGetValue(pageIndex, out List<TableUse>? uses)) yield break;
        foreach (TableUse use in uses) yield return (use.Space, use.Level, use.Linear);
    }

    /// <summary>The shadow of an address space, created empty if it is new.</summary>
    internal ShadowPageTable Get(in PagingControls controls)
    {
        if (!_spaces.TryGetValue(controls, out ShadowPageTable? space))
        {
            if (_spaces.Count >= MaximumCount) EvictOne();
            space = new ShadowPageTable(controls, ++_generation);
            _spaces.Add(controls, space);
        }
        space.LastUsed = ++_useCounter;
        return space;
    }

    /// <summary>Forgets everything (a restored snapshot).</summary>
    internal void Clear()
    {
        foreach (int page in _uses.Keys) _memory.Ram.RemoveTraits(page, PageTraits.PageTable);
        _uses.Clear();
        _tracedWrites.Clear();
        _spaces.Clear();
    }

    /// <summary>Enters a successful walk's result and traces the table pages that it read.</summary>
    internal ShadowEntry Fill(ShadowPageTable space, ulong linear, ref PageWalk walk)
    {
        Counters.ShadowFaults++;
        ShadowEntry entry = ShadowEntry.From(walk);
        space.Fill(linear, entry);
        for (int i = 0; i < walk.StepCount; i++)
        {
            WalkStep step = walk.Steps[i];
            // PAE's PDPTEs are part of the address space's identity: stores to where they came from change nothing.
            if (step.Level == 3 && space.Controls.Mode == PagingMode.Pae) continue;
            long offset = _memory.RamOffset(step.EntryAddress.Value);
            if (offset < 0) continue;
            ulong covered = linear & 0xFFFF_FFFF_FFFF & ~((1UL << CoverageShift(step.Level, step.SizeBytes)) - 1);
            Trace((int)(offset >> PagedMemory.PageShift), new TableUse(space, step.Level, covered));
        }
        return entry;
    }

    /// <summary>A store was done to a page with <see cref="PageTraits.PageTable"/>.</summary>
    internal void OnTracedWrite(int pageIndex, int offset, int sizeBytes)
    {
        if (!_uses.TryGetValue(pageIndex, out List<TableUse>? uses)) return;
        Counters.TracedWrites++;
        CollectionsMarshal.GetValueRefOrAddDefault(_tracedWrites, pageIndex, out _)++;
        for (int u = uses.Count - 1; u >= 0; u--)
        {
            TableUse use = uses[u];
            bool twoLevel = use.Space.Controls.Mode == PagingMode.TwoLevel;
            int entrySize = twoLevel ? 4 : 8, spanShift = EntryShift(use.Level, entrySize);
            for (int i = offset / entrySize; i <= (offset + sizeBytes - 1) / entrySize; i++)
                Drop(use.Space, use.Linear + ((ulong)i << spanShift), spanShift);
            if (!use.Space.AnyFilled(use.Linear, CoverageShift(use.Level, entrySize))) uses.RemoveAt(u);
        }
        if (uses.Count > 0) return;
        _uses.Remove(pageIndex);
        _memory.Ram.RemoveTraits(pageIndex, PageTraits.PageTable);
    }

    private void Drop(ShadowPageTable space, ulong linear, int shift)
    {
        int dropped = space.Drop(linear, shift);
        if (dropped == 0) return;
        Counters.Invalidations++;
        if (dropped == 2) space.OnExecutableDropped(linear, ++_generation);
        Listener?.OnDropped(space, linear, shift);
    }

    private void Trace(int pageIndex, TableUse use)
    {
        ref List<TableUse>? uses = ref CollectionsMarshal.GetValueRefOrAddDefault(_uses, pageIndex, out _);
        uses ??= [];
        if (uses.Contains(use)) return;
        uses.Add(use);
        if ((_memory.Ram.TraitsOf(pageIndex) & PageTraits.PageTable) != 0) return;
        _memory.Ram.AddTraits(pageIndex, PageTraits.PageTable);
        Listener?.OnPageProtected(pageIndex);
    }

    private void EvictOne()
    {
        ShadowPageTable? oldest = null;
        foreach (ShadowPageTable space in _spaces.Values)
            if ((oldest is null || space.LastUsed < oldest.LastUsed) && Listener?.IsInUse(space) != true) oldest = space;
        if (oldest is null) return;
        _spaces.Remove(oldest.Controls);
        Counters.Invalidations++;
        var unused = new List<int>();
        foreach ((int page, List<TableUse> uses) in _uses)
        {
            uses.RemoveAll(use => ReferenceEquals(use.Space, oldest));
            if (uses.Count == 0) unused.Add(page);
        }
        foreach (int page in unused)
        {
            _uses.Remove(page);
            _memory.Ram.RemoveTraits(page, PageTraits.PageTable);
        }
    }

    /// <summary>log2 of what one entry at a level maps.</summary>
    private static int EntryShift(int level, int entrySize) => entrySize == 4 ? (level == 1 ? 12 : 22) : 12 + 9 * (level - 1);

    /// <summary>log2 of what a whole table at a level maps; 48 stands for everything.</summary>
    private static int CoverageShift(int level, int entrySize) => entrySize == 4 ? (level == 1 ? 22 : 48) : level == 4 ? 48 : 12 + 9 * level;
}
