using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Paging;
using Vmm.Paging;
using Vmm.Platform;

namespace Dap.Views;

/// <summary>Page tables, as the protocol says them.</summary>
internal sealed class PageTableAnswers(Machine machine, int cpuIndex)
{
    /// <summary>Entries below an entry that are looked at to tell whether a filter lets it through.</summary>
    private const int FilterBudget = 50_000;
    /// <summary>Entries below a table that came or went that are counted.</summary>
    private const int CountBudget = 100_000;

    private readonly PagingControls _controls = PagingControls.Of(machine.Vcpus[cpuIndex].State);

    private ShadowReader Shadow => new(machine, machine.ShadowOf(cpuIndex));

    /// <summary>Null: the filter has no such name.</summary>
    public static PageFilter? ParseFilter(string name) => name switch
    {
        "writable" => PageFilter.Writable,
        "user" => PageFilter.User,
        "executable" => PageFilter.Executable,
        "global" => PageFilter.Global,
        "dirty" => PageFilter.Dirty,
        "accessed" => PageFilter.Accessed,
        _ => null,
    };

    /// <summary>The entries of one table.</summary>
    /// <param name="path">Which; null: the root.</param>
    /// <param name="filter">Only what has these traits.</param>
    /// <param name="then">The machine at another position, to mark what differs.</param>
    /// <param name="includeAbsent">Also entries that are not present and not empty, when neither filtered nor compared.</param>
    public TtvmPageTable? Table(string? path, PageFilter filter, Machine? then, bool includeAbsent)
    {
        var reader = new PageTableReader(machine, _controls);
        string mode = PageTableReader.NameOf(_controls.Mode), root = Hexadecimal.Of(_controls.Root);
        if (reader.Root is null) return new TtvmPageTable { Mode = mode, Root = root, Entries = [] };
        GuestTable? table = reader.Find(path);
        var entries = new List<TtvmPageTableEntry>();
        if (then is null)
        {
            if (table is not { } known) return null;
            var tree = new PageTree(machine, _controls);
            foreach (GuestEntry entry in reader.Entries(known))
                if (filter == PageFilter.None || tree.Has(entry, filter, FilterBudget)) entries.Add(Entry(path, entry));
            if (includeAbsent && filter == PageFilter.None)
            {
                foreach (GuestEntry entry in reader.AbsentEntries(known)) entries.Add(AbsentEntry(entry));
                entries.Sort(static (a, b) => a.Index.CompareTo(b.Index));
            }
        }
        else if (!Compare(path, table, filter, then, entries)) return null;
        return new TtvmPageTable { Mode = mode, Root = root, Entries = entries };
    }

    // What its other bits mean is the guest's affair: an access faults.
    private TtvmPageTableEntry AbsentEntry(in GuestEntry entry) => new()
    {
        Level = PageTableReader.NameOf(entry.Level), Index = entry.Index, Linear = Hexadecimal.Of(entry.Linear), LinearEnd = Hexadecimal.Of(entry.LinearEnd),
        EntryAddress = Hexadecimal.Of(entry.Address), Value = Value(entry.Value), Physical = "", Size = SizeText.Of(entry.SizeBytes), IsPage = true, Bits = [],
    };

    /// <summary>One translation, step by step.</summary>
    public TtvmTranslation Translate(ulong linear)
    {
        var steps = new TranslationSteps(new GuestView(machine, machine.Vcpus[cpuIndex]), linear);
        PageWalk walk = steps.Walk;
        var list = new List<TtvmWalkStep>();
        foreach (TranslationStep step in steps.Steps)
        {
            var bits = new List<TtvmBit>();
            foreach (NamedBit bit in step.Bits) bits.Add(new TtvmBit { Name = bit.Name, IsSet = (step.Entry.Value >> bit.Bit & 1) != 0, Meaning = bit.Meaning });
            list.Add(new TtvmWalkStep
            {
                Level = PageTableReader.NameOf(step.Entry.Level), Index = step.Entry.Index, EntryAddress = Hexadecimal.Of(step.Entry.Address), Value = Value(step.Entry.Value),
                Bits = bits, Explanation = step.Explanation,
            });
        }
        var checks = new List<TtvmAccessCheck>();
        foreach (AccessCheck check in steps.Accesses)
        {
            checks.Add(new TtvmAccessCheck
            {
                Access = check.Name, Faults = check.Faults, ErrorCode = check.ErrorCode is { } code ? Hexadecimal.Of(code) : null, Why = check.Why,
            });
        }
        return new TtvmTranslation
        {
            Linear = Hexadecimal.Of(steps.Linear), Mode = PageTableReader.NameOf(steps.Controls.Mode), Steps = list, Physical = walk.IsMapped ? Hexadecimal.Of(walk.Physical) : null,
            PageSize = walk.IsMapped && steps.Controls.Mode != PagingMode.None ? SizeText.Of(walk.PageSizeBytes) : null, Access = steps.Access, Fault = steps.Fault, Accesses = checks,
            Shadow = steps.IsCanonical ? ShadowOf(Shadow.OfPage(steps.Linear, walk.IsMapped ? walk.Physical : null)) : null,
        };
    }

    /// <summary>Differences between a machine then and this one.</summary>
    public List<TtvmTableChange> Changes(Machine then, int maximum, out bool isCut)
    {
        var comparison = new TableComparison(then, PagingControls.Of(then.Vcpus[cpuIndex].State), machine, _controls);
        var before = new PageTree(then, PagingControls.Of(then.Vcpus[cpuIndex].State));
        var after = new PageTree(machine, _controls);
        var list = new List<TtvmTableChange>();
        if (comparison.IsOtherMode)
        {
            list.Add(new TtvmTableChange
            {
                Linear = "0x0", LinearEnd = "0xffffffffffffffff", Level = "root", Before = PageTableReader.NameOf(PagingControls.Of(then.Vcpus[cpuIndex].State).Mode),
                After = PageTableReader.NameOf(_controls.Mode),
            });
        }
        foreach (TableChange change in comparison.Collect(maximum))
        {
            GuestEntry either = change.Either;
            list.Add(new TtvmTableChange
            {
                Linear = Hexadecimal.Of(either.Linear), LinearEnd = Hexadecimal.Of(either.LinearEnd), Level = PageTableReader.NameOf(either.Level),
                Before = Describe(before, change.Before), After = Describe(after, change.After),
            });
        }
        isCut = comparison.IsCut;
        return list;
    }

    /// <summary>A range, as the protocol says it.</summary>
    public static TtvmRange RangeOf(in MappedRange range) => new()
    {
        Linear = Hexadecimal.Of(range.Linear), LinearEnd = Hexadecimal.Of(range.LinearEnd), Physical = Hexadecimal.Of(range.Physical), Size = SizeText.Of(range.SizeBytes),
        Access = range.Access, PageSize = SizeText.Of(range.PageSizeBytes),
    };

    public static TtvmShadowEntry ShadowOf(in ShadowStatus shadow) => new()
    {
        State = NameOf(shadow.State), Machine = shadow.MachineOffset is { } offset ? Hexadecimal.Of((ulong)offset) : null, Why = shadow.Why,
    };

    public static string NameOf(ShadowState state) => state switch
    {
        ShadowState.InStep => "in step",
        ShadowState.Stale => "stale",
        ShadowState.WriteProtected => "write-protected",
        ShadowState.PartlyFilled => "partly filled",
        _ => "not filled",
    };

    private bool Compare(string? path, GuestTable? table, PageFilter filter, Machine then, List<TtvmPageTableEntry> entries)
    {
        PagingControls controls = PagingControls.Of(then.Vcpus[cpuIndex].State);
        PageTableReader now = new(machine, _controls), old = new(then, controls);
        var comparison = new TableComparison(then, controls, machine, _controls);
        GuestTable? before = comparison.IsOtherMode ? null : old.Find(path);
        if (table is null && before is null) return false;
        var tree = new PageTree(machine, _controls);
        var oldTree = new PageTree(then, controls);
        IReadOnlyList<GuestEntry> oldEntries = before is { } a ? old.Entries(a) : [], newEntries = table is { } b ? now.Entries(b) : [];
        foreach ((GuestEntry? was, GuestEntry? entry) in TableComparison.Pair(oldEntries, newEntries))
        {
            if (filter != PageFilter.None && !(entry is { } present ? tree.Has(present, filter, FilterBudget) : oldTree.Has(was!.Value, filter, FilterBudget))) continue;
            TableChangeKind change = comparison.Compare(was, entry);
            TtvmPageTableEntry answer = entry is { } still ? Entry(path, still) : Entry(path, was!.Value) with { Value = "0x0", Bits = [], Shadow = null };
            entries.Add(answer with
            {
                Change = change switch { TableChangeKind.Added => "added", TableChangeKind.Removed => "removed", TableChangeKind.Changed => "changed", _ => null },
                Was = change is TableChangeKind.Removed or TableChangeKind.Changed ? Value(was!.Value.Value) : null,
            });
        }
        return true;
    }

    private TtvmPageTableEntry Entry(string? path, in GuestEntry entry) => new()
    {
        Path = entry.IsLeaf ? null : PageTableReader.PathOf(path, entry.Index), Level = PageTableReader.NameOf(entry.Level), Index = entry.Index, Linear = Hexadecimal.Of(entry.Linear),
        LinearEnd = Hexadecimal.Of(entry.LinearEnd), EntryAddress = Hexadecimal.Of(entry.Address), Value = Value(entry.Value), Physical = Hexadecimal.Of(entry.Target),
        Size = SizeText.Of(entry.SizeBytes), IsPage = entry.IsLeaf, Bits = PageBits.SetNames(_controls, entry), Shadow = ShadowOf(Shadow.Of(entry)),
    };

    private string Value(ulong value) => Hexadecimal.Padded(value, _controls.Mode == PagingMode.TwoLevel ? 32 : 64);

    private static string Describe(PageTree tree, GuestEntry? entry)
    {
        if (entry is not { } present) return "not present";
        string bits = PageTableReader.Bits(present);
        if (present.IsLeaf) return $"0x{present.Target:x}, {SizeText.Of(present.SizeBytes)}, {bits}";
        int pages = tree.CountPages(present, CountBudget);
        return $"{PageTableReader.NameOf(present.Level - 1)} at 0x{present.Target:x} with {Hexadecimal.Grouped((ulong)pages)} page{(pages == 1 ? "" : "s")}, {bits}";
    }
}
