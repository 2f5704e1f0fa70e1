using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;
using Introspection.Paging;
using Vmm.Memory;
using Vmm.Paging;

namespace Dap.Sessions.Scopes;

/// <summary>
/// The shadow page tables that the machine translates through: linear to guest-physical to machine page, with why an entry is as it is. Filled lazily, and since the
/// nearest checkpoint: what an engine has in them depends on the way to a position, and no guest can tell.
/// </summary>
internal sealed class ShadowTableScope(Session session, int cpuIndex)
{
    public VariableSource Source => VariableSource.Of(ReadRoot);

    private List<Variable> ReadRoot()
    {
        ShadowPageTables tables = session.Machine.ShadowPageTables;
        ShadowPageTable current = session.Machine.ShadowOf(cpuIndex);
        ShadowCounters counters = tables.Counters;
        var list = new List<Variable> { Space("current", current) };
        foreach (ShadowPageTable space in tables.Spaces)
            if (!ReferenceEquals(space, current)) list.Add(Space($"root 0x{space.Controls.Root:x}", space));
        list.Add(Plain("shadow faults", $"{counters.ShadowFaults} (entries filled by the walker)"));
        list.Add(Plain("guest faults", $"{counters.GuestFaults} (walks that ended in a page fault)"));
        IReadOnlyList<TracedPage> traced = new ShadowReader(session.Machine, current).TracedPages();
        list.Add(new Variable
        {
            Name = "write-protected pages", Value = $"{traced.Count} (guest page tables that the shadow was filled from)", IndexedVariables = traced.Count,
            VariablesReference = traced.Count == 0 ? 0 : session.Variables.Add(new VariableSource((start, count) => Traced(traced, start, count), IsPaged: true)),
        });
        list.Add(Plain("traced writes", $"{counters.TracedWrites} (stores to pages that serve as page tables)"));
        list.Add(Plain("invalidations", $"{counters.Invalidations} (entries or subtrees dropped)"));
        return list;
    }

    private Variable Space(string name, ShadowPageTable space) => new()
    {
        Name = name,
        Value = $"{space.FilledCount} pages filled, root 0x{space.Controls.Root:x}, {space.Controls.Mode}",
        IndexedVariables = space.FilledCount,
        VariablesReference = space.FilledCount == 0 ? 0 : session.Variables.Add(new VariableSource((start, count) => Entries(space, start, count), IsPaged: true)),
    };

    private List<Variable> Entries(ShadowPageTable space, int start, int count)
    {
        var list = new List<Variable>();
        int index = 0;
        space.ForEach(0, start + count < 0 ? int.MaxValue : start + count, (linear, entry) =>
        {
            if (index++ >= start) list.Add(EntryOf(space, linear, entry));
        });
        return list;
    }

    private Variable EntryOf(ShadowPageTable space, ulong linear, ShadowEntry entry)
    {
        long offset = session.Machine.Memory.RamOffset(entry.PhysicalPage);
        int page = offset < 0 ? -1 : (int)(offset >> PagedMemory.PageShift);
        string access = $"{(entry.IsUser ? "U" : "S")} r{(entry.IsWritable ? "w" : "-")}{(entry.IsNoExecute ? "-" : "x")}{(entry.IsDirty ? " D" : "")}";
        return new Variable
        {
            Name = $"{linear:x16}",
            Value = $"physical 0x{entry.PhysicalPage:x} -> {(page < 0 ? "chip" : $"machine page 0x{page:x}")} {access}, {State(space, linear, entry)}",
            VariablesReference = 0,
            MemoryReference = new MemoryPlace(linear).ToString(),
        };
    }

    private string State(ShadowPageTable space, ulong linear, ShadowEntry entry)
    {
        PageWalk walk = GuestPageWalker.Walk(session.Machine.Memory, space.Controls, linear);
        ShadowStatus status = new ShadowReader(session.Machine, space).OfPage(linear, walk.IsMapped ? walk.Physical : null);
        return status.State == ShadowState.InStep ? "in step" : $"{PageTableAnswers.NameOf(status.State)}: {status.Why}";
    }

    private List<Variable> Traced(IReadOnlyList<TracedPage> pages, int start, int count)
    {
        var list = new List<Variable>();
        for (int i = start; i < pages.Count && i - start < count; i++)
        {
            TracedPage page = pages[i];
            list.Add(Plain($"physical 0x{page.Physical:x}", $"{page.Writes} stores traced; it is {string.Join(", and ", page.Uses)}") with
            {
                MemoryReference = new MemoryPlace(page.Physical, true).ToString(),
            });
        }
        return list;
    }

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
