using System;
using System.Collections.Generic;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>Linear pages in a row that map guest-physical pages in a row, alike.</summary>
internal readonly record struct MappedRange(ulong Linear, ulong Physical, ulong SizeBytes, ulong PageSizeBytes, bool Writable, bool User, bool NoExecute, bool Global)
{
    /// <summary>"U rwx": user or supervisor, then what is allowed.</summary>
    public string Access => $"{(User ? "U" : "S")} r{(Writable ? "w" : "-")}{(NoExecute ? "-" : "x")}{(Global ? " G" : "")}";

    public bool Continues(in MappedRange before) => Linear == before.Linear + before.SizeBytes && Physical == before.Physical + before.SizeBytes
        && PageSizeBytes == before.PageSizeBytes && Access == before.Access;
}

/// <summary>One present entry on the way through the guest's page tables.</summary>
internal readonly record struct TableEntry(int Level, int Index, ulong Linear, ulong EntryAddress, ulong Value, bool IsLeaf);

/// <summary>Goes through all page tables of an address space, as the processor would read them.</summary>
internal sealed class MappedRanges(Machine machine, PagingControls controls)
{
    /// <summary>Tables that point to themselves make more entries than there is memory.</summary>
    private const int MaximumEntryCount = 4_000_000;

    private int _entryCount;

    /// <summary>Not everything was gone through.</summary>
    public bool IsCutShort => _entryCount >= MaximumEntryCount;

    /// <summary>All mappings, neighbours merged, in ascending order.</summary>
    public List<MappedRange> Collect()
    {
        var ranges = new List<MappedRange>();
        foreach (TableEntry entry in Entries())
        {
            if (!entry.IsLeaf) continue;
            PageWalk walk = GuestPageWalker.Walk(machine.Memory, controls, entry.Linear);
            if (!walk.IsMapped) continue;
            var range = new MappedRange(entry.Linear, walk.Physical, walk.PageSizeBytes, walk.PageSizeBytes, walk.Writable, walk.User, walk.NoExecute, walk.Global);
            if (ranges.Count > 0 && range.Continues(ranges[^1])) ranges[^1] = ranges[^1] with { SizeBytes = ranges[^1].SizeBytes + range.SizeBytes };
            else ranges.Add(range);
        }
        return ranges;
    }

    /// <summary>All present entries, each table's before the tables below it.</summary>
    public IEnumerable<TableEntry> Entries()
    {
        _entryCount = 0;
        return controls.Mode == PagingMode.None ? [] : EntriesOf((int)controls.Mode, controls.Root, 0);
    }

    private IEnumerable<TableEntry> EntriesOf(int level, ulong table, ulong linearBase)
    {
        bool isNarrow = controls.Mode == PagingMode.TwoLevel;
        int entrySize = isNarrow ? 4 : 8, shift = isNarrow ? (level == 2 ? 22 : 12) : 12 + 9 * (level - 1);
        int count = controls.Mode == PagingMode.Pae && level == 3 ? 4 : 4096 / entrySize;
        for (int i = 0; i < count && !IsCutShort; i++)
        {
            ulong address = table + (ulong)(i * entrySize);
            ulong value = isNarrow ? machine.Memory.Read<uint>(new GuestPhysicalAddress(address)) : machine.Memory.Read<ulong>(new GuestPhysicalAddress(address));
            if ((value & PageTableEntry.Present) == 0 || machine.Memory.RamOffset(address) < 0) continue;
            _entryCount++;
            ulong linear = linearBase | (ulong)i << shift;
            if (controls.Mode == PagingMode.FourLevel) linear = (ulong)((long)(linear << 16) >> 16);
            bool isLeaf = level == 1 || ((value & PageTableEntry.PageSize) != 0 && IsLargePageLevel(level));
            yield return new TableEntry(level, i, linear, address, value, isLeaf);
            if (isLeaf) continue;
            ulong next = isNarrow ? value & 0xFFFF_F000 : value & PageTableEntry.AddressMask;
            foreach (TableEntry below in EntriesOf(level - 1, next, linear)) yield return below;
        }
    }

    private bool IsLargePageLevel(int level) => controls.Mode switch
    {
        PagingMode.TwoLevel => level == 2 && controls.PageSizeExtensions,
        PagingMode.Pae => level == 2,
        _ => level is 2 or 3,
    };
}
