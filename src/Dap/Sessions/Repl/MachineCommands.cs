using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Dap.Protocol;
using Dap.Requests;
using Dap.Sessions.Scopes;
using Dap.Views;
using Introspection.Paging;

namespace Dap.Sessions.Repl;

/// <summary>What the guest built and what it is built on: page tables, chips, exits, what it printed.</summary>
internal sealed class MachineCommands(Session session)
{
    private const int MaximumRows = 200;

    public IReadOnlyList<ConsoleCommand> All =>
    [
        new("walk ADDRESS", "each step of the translation of a linear address", Walk),
        new("shadow ADDRESS", "what the shadow page table holds for a linear address, and why", Shadow),
        new("ranges", "all that is mapped, neighbours merged", Ranges),
        new("tablechanges A B", "what changed in the page tables between two positions", TableChanges),
        new("devices [NAME]", "the chips, or the registers of one", Devices),
        new("exits", "how often the guest needed the VMM, by reason", _ => ConsoleTable.Of(new ExitScope(session).Read())),
        new("console", "what the guest has printed up to now", _ => Encoding.Latin1.GetString(session.Recording.Console.ReadBytes(session.Timeline.Position))),
    ];

    private ConsoleResult Walk(CommandLine line)
    {
        ulong linear = EvaluationRequests.NumberOf(line.Required, line.View, session.Symbols);
        var steps = new TranslationSteps(line.View, linear);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"0x{linear:x16}, {PageTableReader.NameOf(steps.Controls.Mode)}, root 0x{steps.Controls.Root:x}\n");
        foreach (TranslationStep step in steps.Steps)
        {
            GuestEntry entry = step.Entry;
            text.Append(CultureInfo.InvariantCulture, $"{PageTableReader.NameOf(entry.Level),-5} entry at 0x{entry.Address:x}: {entry.Value:x16}  ")
                .Append(PageTableReader.Bits(entry)).Append('\n');
        }
        if (steps.Fault is { } fault) text.Append(fault);
        else text.Append(CultureInfo.InvariantCulture,
                $"physical 0x{steps.Walk.Physical:x}, page of 0x{steps.Walk.PageSizeBytes:x} bytes{(steps.Access is { } access ? $", {access}" : "")}");
        return text.ToString();
    }

    private ConsoleResult Shadow(CommandLine line)
    {
        ulong linear = EvaluationRequests.NumberOf(line.Required, line.View, session.Symbols);
        var reader = new ShadowReader(session.Machine, session.Machine.ShadowOf(line.View.Vcpu.Index));
        ShadowStatus shadow = reader.OfPage(linear, line.View.Translate(linear));
        string machine = shadow.MachineOffset is { } offset ? $", machine page 0x{offset >> 12:x}" : "";
        return $"0x{linear & ~0xFFFUL:x16}: {PageTableAnswers.NameOf(shadow.State)}{machine}\n{shadow.Why}";
    }

    private ConsoleResult Ranges(CommandLine line)
    {
        List<MappedRange> ranges = new PageTree(session.Machine, line.View.Paging).Collect();
        if (ranges.Count == 0) return line.View.Paging.Mode == Vmm.Paging.PagingMode.None ? "no paging: linear addresses are physical" : "nothing is mapped";
        var text = new StringBuilder();
        for (int i = 0; i < Math.Min(MaximumRows, ranges.Count); i++)
        {
            MappedRange range = ranges[i];
            text.Append(CultureInfo.InvariantCulture, $"{(i > 0 ? "\n" : "")}{range.Linear:x16}-{range.LinearEnd:x16}  ")
                .Append(CultureInfo.InvariantCulture, $"physical {range.Physical:x}  {SizeText.Of(range.SizeBytes)} in pages of {SizeText.Of(range.PageSizeBytes)}  {range.Access}");
        }
        if (ranges.Count > MaximumRows) text.Append(CultureInfo.InvariantCulture, $"\n... {ranges.Count - MaximumRows} more");
        return text.ToString();
    }

    private ConsoleResult TableChanges(CommandLine line)
    {
        string[] words = line.Required.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length > 2) throw line.Command.Misused();
        TtvmTableChanges changes = PagingRequests.Changes(session, new TtvmTableChangesArguments
        {
            From = words[0], To = words.Length > 1 ? words[1] : null, ThreadId = Session.ThreadOfCpu(line.View.Vcpu.Index),
        });
        if (changes.Changes.Count == 0) return $"the page tables are the same at {changes.From} and {changes.To}";
        var text = new StringBuilder();
        int count = Math.Min(MaximumRows, changes.Changes.Count);
        for (int i = 0; i < count; i++)
        {
            TtvmTableChange change = changes.Changes[i];
            text.Append(CultureInfo.InvariantCulture, $"{(i > 0 ? "\n" : "")}{change.Level,-4} {change.Linear} to {change.LinearEnd}: {change.Before} -> {change.After}");
        }
        if (changes.IsCut || count < changes.Changes.Count) text.Append("\n... and more");
        return text.ToString();
    }

    private ConsoleResult Devices(CommandLine line)
    {
        var rows = new List<(string, string)>();
        foreach (TtvmDevice device in DeviceViews.Read(session.Machine).Devices)
        {
            if (line.Rest.Length == 0) rows.Add((device.Name, device.Summary));
            else if (device.Name.Contains(line.Rest, StringComparison.OrdinalIgnoreCase))
            {
                rows.Add((device.Name, device.Summary));
                Add(rows, device.Fields, "  ");
            }
        }
        return rows.Count > 0 ? ConsoleTable.Of(rows) : throw new RequestException($"there is no device '{line.Rest}': 'devices' lists all");
    }

    private static void Add(List<(string, string)> rows, IReadOnlyList<TtvmField> fields, string indent)
    {
        foreach (TtvmField field in fields)
        {
            rows.Add((indent + field.Name, field.Value));
            if (field.Fields is { } parts) Add(rows, parts, indent + "  ");
        }
    }
}
