using System.Collections.Generic;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Paging;

/// <summary>Linear pages in a row that map guest-physical pages in a row, alike.</summary>
public readonly record struct MappedRange(ulong Linear, ulong Physical, ulong SizeBytes, ulong PageSizeBytes, bool Writable, bool User, bool NoExecute, bool Global)
{
    /// <summary>"U rwx": user or supervisor, then what is allowed.</summary>
    public string Access => $"{(User ? "U" : "S")} r{(Writable ? "w" : "-")}{(NoExecute ? "-" : "x")}{(Global ? " G" : "")}";

    /// <summary>Last linear address.</summary>
    public ulong LinearEnd => Linear + (SizeBytes - 1);

    /// <summary>Follows without a gap, with the same properties.</summary>
    public bool Continues(in MappedRange before) => Linear == before.Linear + before.SizeBytes && Physical == before.Physical + before.SizeBytes
        && PageSizeBytes == before.PageSizeBytes && Writable == before.Writable && User == before.User && NoExecute == before.NoExecute && Global == before.Global;
}

/// <summary>Goes through all page tables of an address space, as the processor would read them.</summary>
public sealed class PageTree(Machine machine, PagingControls controls)
{
    /// <summary>Tables that point to themselves make more entries than there is memory.</summary>
    public const int MaximumEntryCount = 4_000_000;

    private readonly PageTableReader _reader = new(machine, controls);
    private readonly List<GuestEntry>[] _lists = [[], [], [], [], []];
    private int _entryCount, _limit = MaximumEntryCount;

    /// <summary>Not everything was gone through.</summary>
    public bool IsCutShort => _entryCount >= _limit;

    /// <summary>All mappings that have a filter's traits, neighbours merged, in ascending order.</summary>
    public List<MappedRange> Collect(PageFilter filter = PageFilter.None)
    {
        var ranges = new List<MappedRange>();
        _entryCount = 0;
        _limit = MaximumEntryCount;
        if (_reader.Root is { } root) Collect(root, filter, ranges);
        return ranges;
    }

    /// <summary>All present entries, each table's before the tables below it.</summary>
    public IEnumerable<GuestEntry> Entries()
    {
        _entryCount = 0;
        _limit = MaximumEntryCount;
        return _reader.Root is { } root ? EntriesOf(root) : [];
    }

    /// <summary>A page in or below the entry has all of a filter's traits. When that would take more than <paramref name="budget"/> entries to tell: true.</summary>
    public bool Has(in GuestEntry entry, PageFilter filter, int budget)
    {
        _entryCount = 0;
        _limit = budget;
        return Has(entry, filter);
    }

    /// <summary>How many pages lie in or below an entry, counted up to a budget of entries.</summary>
    public int CountPages(in GuestEntry entry, int budget)
    {
        _entryCount = 0;
        _limit = budget;
        return Count(entry);
    }

    private void Collect(in GuestTable table, PageFilter filter, List<MappedRange> ranges)
    {
        List<GuestEntry> entries = _lists[table.Level];
        _reader.Read(table, entries);
        foreach (GuestEntry entry in entries)
        {
            if (IsCutShort) return;
            _entryCount++;
            if (entry.IsReserved) continue;
            if (!entry.IsLeaf)
            {
                Collect(PageTableReader.TableBelow(entry), filter, ranges);
                continue;
            }
            if ((entry.Traits & filter) != filter) continue;
            var range = new MappedRange(entry.Linear, entry.Target, entry.SizeBytes, entry.SizeBytes, entry.Allowed.IsWritable, entry.Allowed.IsUser,
                !entry.Allowed.IsExecutable, (entry.Value & PageTableEntry.Global) != 0);
            if (ranges.Count > 0 && range.Continues(ranges[^1])) ranges[^1] = ranges[^1] with { SizeBytes = ranges[^1].SizeBytes + range.SizeBytes };
            else ranges.Add(range);
        }
    }

    private IEnumerable<GuestEntry> EntriesOf(GuestTable table)
    {
        foreach (GuestEntry entry in _reader.Entries(table))
        {
            if (IsCutShort) yield break;
            _entryCount++;
            yield return entry;
            if (entry.IsLeaf) continue;
            foreach (GuestEntry below in EntriesOf(PageTableReader.TableBelow(entry))) yield return below;
        }
    }

    private bool Has(in GuestEntry entry, PageFilter filter)
    {
        if (entry.IsLeaf) return (entry.Traits & filter) == filter;
        // What the way forbids, nothing below allows.
        const PageFilter rights = PageFilter.Writable | PageFilter.User | PageFilter.Executable;
        if ((entry.Traits & filter & rights) != (filter & rights)) return false;
        List<GuestEntry> entries = _lists[entry.Level - 1];
        _reader.Read(PageTableReader.TableBelow(entry), entries);
        foreach (GuestEntry below in entries)
            if (++_entryCount >= _limit || Has(below, filter)) return true;
        return false;
    }

    private int Count(in GuestEntry entry)
    {
        if (entry.IsLeaf) return entry.IsReserved ? 0 : 1;
        int count = 0;
        List<GuestEntry> entries = _lists[entry.Level - 1];
        _reader.Read(PageTableReader.TableBelow(entry), entries);
        foreach (GuestEntry below in entries)
        {
            if (++_entryCount >= _limit) break;
            count += Count(below);
        }
        return count;
    }
}
