using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;
using Introspection.Paging;
using Vmm.Paging;

namespace Dap.Sessions.Scopes;

/// <summary>The guest's page tables from CR3 down: each table is read when it is opened.</summary>
internal sealed class GuestTableScope(Session session, int cpuIndex)
{
    public VariableSource Source => VariableSource.Of(ReadRoot);

    private PageTableReader Reader => new(session.Machine, session.ViewOf(cpuIndex).Paging);

    private IReadOnlyList<Variable> ReadRoot()
    {
        PagingControls controls = session.ViewOf(cpuIndex).Paging;
        if (Reader.Root is not { } root) return [new Variable { Name = "paging", Value = "off: linear addresses are physical", VariablesReference = 0 }];
        var list = new List<Variable>
        {
            new()
            {
                Name = "cr3", Value = $"{PageTableReader.NameOf(root.Level)} at 0x{controls.Root:x}", VariablesReference = 0,
                MemoryReference = new MemoryPlace(controls.Root, true).ToString(),
            },
        };
        list.AddRange(Read(root));
        return list;
    }

    private List<Variable> Read(GuestTable table)
    {
        PageTableReader reader = Reader;
        var shadow = new ShadowReader(session.Machine, session.Machine.ShadowOf(cpuIndex));
        var list = new List<Variable>();
        foreach (GuestEntry entry in reader.Entries(table))
        {
            string bits = PageTableReader.Bits(entry);
            string target = entry.IsLeaf ? $"0x{entry.Target:x} ({SizeText.Of(entry.SizeBytes)})" : $"{PageTableReader.NameOf(table.Level - 1)} at 0x{entry.Target:x}";
            list.Add(new Variable
            {
                Name = $"[{entry.Index:x3}] {entry.Linear:x16}",
                Value = $"{target} {bits}; shadow {PageTableAnswers.NameOf(shadow.Of(entry).State)}",
                Type = $"{PageTableReader.NameOf(table.Level)} entry {entry.Value:x16} at physical 0x{entry.Address:x}",
                VariablesReference = entry.IsLeaf ? 0 : session.Variables.Add(VariableSource.Of(() => Read(PageTableReader.TableBelow(entry)))),
                MemoryReference = (entry.IsLeaf ? new MemoryPlace(entry.Linear) : new MemoryPlace(entry.Target, true)).ToString(),
            });
        }
        return list;
    }
}
