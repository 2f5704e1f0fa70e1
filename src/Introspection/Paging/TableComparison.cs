using System;
using System.Collections.Generic;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Paging;

/// <summary>How an entry differs from what it was.</summary>
public enum TableChangeKind
{
    None,
    Added,
    Removed,
    /// <summary>It, or something below it, is different.</summary>
    Changed,
}

/// <summary>An entry that differs. At least one of the two is there.</summary>
/// <param name="Before">What it was; null: not present.</param>
/// <param name="After">What it is; null: not present.</param>
public readonly record struct TableChange(GuestEntry? Before, GuestEntry? After)
{
    public GuestEntry Either => After ?? Before!.Value;
}

/// <summary>Compares the page tables of two machines: the same vCPU's, at two positions.</summary>
public sealed class TableComparison(Machine before, PagingControls beforeControls, Machine after, PagingControls afterControls)
{
    /// <summary>Entries that are looked at until a comparison gives up.</summary>
    private const int MaximumEntryCount = 1_000_000;

    private readonly PageTableReader _before = new(before, beforeControls), _after = new(after, afterControls);
    private readonly byte[] _beforeBytes = new byte[PagedMemory.PageSizeBytes], _afterBytes = new byte[PagedMemory.PageSizeBytes];
    private int _entryCount;

    /// <summary>Not everything was gone through.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The two have no entries in common, because they are of different modes.</summary>
    public bool IsOtherMode => beforeControls.Mode != afterControls.Mode;

    /// <summary>All differences, deepest level first met: a table that came or went is one.</summary>
    public List<TableChange> Collect(int maximum)
    {
        var changes = new List<TableChange>();
        _entryCount = 0;
        IsCut = false;
        if (!IsOtherMode && _before.Root is { } old && _after.Root is { } now) Collect(old, now, maximum, changes);
        return changes;
    }

    /// <summary>An entry of a table as against the one of the same number then.</summary>
    public TableChangeKind Compare(GuestEntry? old, GuestEntry? now)
    {
        if (old is null || now is null) return old is null ? now is null ? TableChangeKind.None : TableChangeKind.Added : TableChangeKind.Removed;
        if (old.Value.Value != now.Value.Value || old.Value.IsLeaf != now.Value.IsLeaf) return TableChangeKind.Changed;
        if (now.Value.IsLeaf) return TableChangeKind.None;
        _entryCount = 0;
        return Differ(PageTableReader.TableBelow(old.Value), PageTableReader.TableBelow(now.Value)) ? TableChangeKind.Changed : TableChangeKind.None;
    }

    /// <summary>The entries of two tables side by side, in ascending order, those that are in neither left out.</summary>
    public static IEnumerable<(GuestEntry? Before, GuestEntry? After)> Pair(IReadOnlyList<GuestEntry> old, IReadOnlyList<GuestEntry> now)
    {
        int i = 0, j = 0;
        while (i < old.Count || j < now.Count)
        {
            int a = i < old.Count ? old[i].Index : int.MaxValue, b = j < now.Count ? now[j].Index : int.MaxValue;
            yield return (a <= b ? old[i++] : null, b <= a ? now[j++] : null);
        }
    }

    private void Collect(in GuestTable old, in GuestTable now, int maximum, List<TableChange> changes)
    {
        if (AreEqualBytes(old, now) && now.Level == 1) return;
        foreach ((GuestEntry? a, GuestEntry? b) in Pair(_before.Entries(old), _after.Entries(now)))
        {
            if (changes.Count >= maximum || ++_entryCount > MaximumEntryCount)
            {
                IsCut = true;
                return;
            }
            bool areTables = a is { IsLeaf: false } && b is { IsLeaf: false };
            // The accessed bit of a table entry, or that another page holds the same table: what matters is below.
            if (areTables) Collect(PageTableReader.TableBelow(a!.Value), PageTableReader.TableBelow(b!.Value), maximum, changes);
            if (a?.Value != b?.Value && changes.Count < maximum) changes.Add(new TableChange(a, b));
        }
    }

    private bool Differ(in GuestTable old, in GuestTable now)
    {
        if (now.Level == 1) return !AreEqualBytes(old, now);
        foreach ((GuestEntry? a, GuestEntry? b) in Pair(_before.Entries(old), _after.Entries(now)))
        {
            if (++_entryCount > MaximumEntryCount) return false;
            if (a?.Value != b?.Value) return true;
            if (b is { IsLeaf: false } table && Differ(PageTableReader.TableBelow(a!.Value), PageTableReader.TableBelow(table))) return true;
        }
        return false;
    }

    private bool AreEqualBytes(in GuestTable old, in GuestTable now)
    {
        before.Memory.Read(new GuestPhysicalAddress(old.Address), _beforeBytes);
        after.Memory.Read(new GuestPhysicalAddress(now.Address), _afterBytes);
        return _beforeBytes.AsSpan().SequenceEqual(_afterBytes);
    }
}
