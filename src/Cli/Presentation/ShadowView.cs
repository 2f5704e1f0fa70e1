using System.Collections.Generic;
using System.IO;
using System.Linq;
using Introspection.Paging;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Presentation;

/// <summary>A vCPU's shadow page table as text and as JSON.</summary>
internal sealed class ShadowView(Machine machine, Vcpu vcpu)
{
    private static readonly string[] s_tableNames = ["", "page table", "page directory", "PDPT", "PML4"];
    private readonly ShadowPageTable _space = machine.ShadowOf(vcpu.Index);

    public void Write(TextWriter output, ulong? only, int limit, Position since)
    {
        ShadowCounters counters = machine.ShadowPageTables.Counters;
        output.WriteLine($"position {machine.Position}, vCPU {vcpu.Index}: shadow of the address space with root {_space.Controls.Root:x} ({_space.Controls.Mode}); "
            + $"{Words.Plural(machine.ShadowPageTables.Spaces.Count, "address space")} with a shadow");
        output.WriteLine($"since the checkpoint at {since}: {Words.Plural(counters.ShadowFaults, "shadow fault")} (entries filled), {Words.Plural(counters.GuestFaults, "guest fault")}, "
            + $"{Words.Plural(counters.TracedWrites, "traced page-table write")}, {Words.Plural(counters.Invalidations, "invalidation")}");
        output.WriteLine($"filled: {Words.Plural(_space.FilledCount, "page")}{MappedPages()}");
        output.WriteLine();
        output.WriteLine("linear            guest-physical  machine page  access   state");
        if (only is { } linear)
        {
            WriteEntry(output, linear & ~0xFFFUL, _space.Find(linear));
            return;
        }
        _space.ForEach(0, limit, (at, entry) => WriteEntry(output, at, entry));
        if (_space.FilledCount > limit) output.WriteLine($"... {_space.FilledCount - limit} more: use --limit");
    }

    public void WriteJson(TextWriter output, ulong? only, int limit, Position since) => JsonText.WriteObject(output, json =>
    {
        ShadowCounters counters = machine.ShadowPageTables.Counters;
        json.WritePosition("position", machine.Position);
        json.WriteNumber("cpu", vcpu.Index);
        json.WriteHexadecimal("root", _space.Controls.Root);
        json.WriteString("mode", _space.Controls.Mode.ToString());
        json.WritePosition("since", since);
        json.WriteNumber("spaceCount", machine.ShadowPageTables.Spaces.Count);
        json.WriteNumber("filledCount", _space.FilledCount);
        json.WriteNumber("shadowFaults", counters.ShadowFaults);
        json.WriteNumber("guestFaults", counters.GuestFaults);
        json.WriteNumber("tracedWrites", counters.TracedWrites);
        json.WriteNumber("invalidations", counters.Invalidations);
        json.WriteStartArray("entries");
        void WriteOne(ulong linear, ShadowEntry entry)
        {
            json.WriteStartObject();
            json.WriteHexadecimal("linear", linear);
            json.WriteBoolean("filled", entry.IsPresent);
            json.WriteHexadecimal("physical", entry.PhysicalPage);
            json.WriteNumber("machinePage", MachinePage(entry.PhysicalPage));
            json.WriteString("access", Access(entry));
            json.WriteString("state", State(linear, entry));
            json.WriteEndObject();
        }
        if (only is { } address) WriteOne(address & ~0xFFFUL, _space.Find(address));
        else _space.ForEach(0, limit, WriteOne);
        json.WriteEndArray();
    });

    private void WriteEntry(TextWriter output, ulong linear, ShadowEntry entry)
    {
        if (!entry.IsPresent)
        {
            output.WriteLine($"{linear:x16}  {State(linear, entry)}");
            return;
        }
        int page = MachinePage(entry.PhysicalPage);
        output.WriteLine($"{linear:x16}  {entry.PhysicalPage:x12}    {(page < 0 ? "chip" : $"{page:x}"),-12}  {Access(entry),-7}  {State(linear, entry)}");
    }

    private string MappedPages()
    {
        if (_space.Controls.Mode == PagingMode.None) return "";
        var tables = new PageTree(machine, _space.Controls);
        long pages = tables.Collect().Sum(range => (long)(range.SizeBytes >> PagedMemory.PageShift));
        return tables.IsCutShort ? "" : $" of {Words.Count(pages)} that the guest maps; the others are not yet filled";
    }

    private string State(ulong linear, ShadowEntry entry)
    {
        PageWalk walk = GuestPageWalker.Walk(machine.Memory, _space.Controls, linear);
        if (!entry.IsPresent)
        {
            return walk.IsMapped ? $"not yet filled: the guest maps it to {walk.Physical & ~0xFFFUL:x}; the next access fills it" : "not mapped by the guest";
        }
        if (!walk.IsMapped || (walk.Physical & ~0xFFFUL) != entry.PhysicalPage) return "stale";
        int page = MachinePage(entry.PhysicalPage);
        if (page < 0) return "in step; each access goes to a chip";
        PageTraits traits = machine.Memory.Ram.TraitsOf(page);
        if ((traits & PageTraits.PageTable) == 0) return (traits & PageTraits.Code) != 0 ? "in step; holds decoded code" : "in step";
        var uses = new List<string>();
        foreach ((ShadowPageTable space, int level, ulong mapped) in machine.ShadowPageTables.UsesOf(page).Take(2))
            uses.Add($"the {s_tableNames[level]} that maps 0x{mapped:x} in the space with root {space.Controls.Root:x}");
        return $"in step; write-protected: it is {string.Join(", and ", uses)}";
    }

    private int MachinePage(ulong physical)
    {
        long offset = machine.Memory.RamOffset(physical);
        return offset < 0 ? -1 : (int)(offset >> PagedMemory.PageShift);
    }

    private static string Access(ShadowEntry entry) => entry.IsPresent
        ? $"{(entry.IsUser ? "U" : "S")} r{(entry.IsWritable ? "w" : "-")}{(entry.IsNoExecute ? "-" : "x")}{(entry.IsDirty ? " D" : "")}" : "";
}
