using System.Collections.Generic;
using Dap.Handles;
using Dap.Inspection;
using Dap.Protocol;
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
            Value = $"physical 0x{entry.PhysicalPage:x} -> {(page < 0 ? "chip" : $"machine page 0x{page:x}")} {access}, {State(space, linear, entry, page)}",
            VariablesReference = 0,
            MemoryReference = new MemoryPlace(linear).ToString(),
        };
    }

    private string State(ShadowPageTable space, ulong linear, ShadowEntry entry, int page)
    {
        PageWalk walk = GuestPageWalker.Walk(session.Machine.Memory, space.Controls, linear);
        if (!walk.IsMapped || (walk.Physical & ~0xFFFUL) != entry.PhysicalPage) return "stale";
        if (page < 0) return "in step; each access goes to a chip";
        PageTraits traits = session.Machine.Memory.Ram.TraitsOf(page);
        if ((traits & PageTraits.PageTable) == 0) return (traits & PageTraits.Code) != 0 ? "in step; holds decoded code" : "in step";
        foreach ((ShadowPageTable user, int level, ulong mapped) in session.Machine.ShadowPageTables.UsesOf(page))
            return $"in step; write-protected: it is the {PageTableReader.NameOf(level)} that maps 0x{mapped:x} in the space with root 0x{user.Controls.Root:x}";
        return "in step; write-protected";
    }

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
