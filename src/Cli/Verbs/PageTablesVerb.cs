using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Paging;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Paging;
using Vmm.Platform;

namespace Cli.Verbs;

/// <summary><c>ttvm pagetables FILE --at POSITION</c></summary>
internal static class PageTablesVerb
{
    private static readonly string[] s_tableNames = ["", "PT", "PD", "PDPT", "PML4"];

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var address = new Option<string?>("--address", "-a") { Description = $"Show each step of the translation of this linear address: {AddressLookup.Syntax}", HelpName = "ADDRESS" };
        var tree = new Option<bool>("--tree") { Description = "Show every present entry instead of merged ranges" };
        var limit = new Option<string>("--limit") { Description = "Lines at most", HelpName = "N", DefaultValueFactory = static _ => "1000" };
        Option<string[]> symbols = SharedOptions.Symbols();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("pagetables",
            "Shows the guest's page tables in a vCPU's address space: what is mapped where, or each step of one translation. "
            + "U user, S supervisor; r w x what is allowed; G global.", """
            Examples:
              ttvm pagetables boot.ttvm --at 50%
              ttvm pagetables boot.ttvm --at 50% --address 0xffffffff81000000
              ttvm pagetables boot.ttvm --at 50% --address rip
              ttvm pagetables boot.ttvm --at 50% --tree --limit 40
            """) { file, at, cpu, address, tree, limit, symbols, json };
        return verb.Does(parsed =>
        {
            int maximum = NumberSyntax.ParseNumber(parsed.GetValue(limit)!, "--limit", int.MaxValue);
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            recording.Seek(parsed.GetValue(at)!);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            bool asJson = parsed.GetValue(json);
            if (parsed.GetValue(address) is { } text)
            {
                ulong linear = new AddressLookup(recording, parsed.GetValue(symbols)).Parse(text, "--address", recording.Machine, vcpu);
                return ShowWalk(context, recording.Machine, vcpu, linear, asJson);
            }
            if (asJson) WriteRangesJson(context, recording.Machine, vcpu, maximum);
            else ShowTables(context.Out, recording.Machine, vcpu, parsed.GetValue(tree), maximum);
            return ExitCode.Good;
        });
    }

    private static void ShowTables(TextWriter output, Machine machine, Vcpu vcpu, bool asTree, int limit)
    {
        PagingControls controls = PagingControls.Of(vcpu.State);
        output.WriteLine($"position {machine.Position}, vCPU {vcpu.Index}: {Describe(controls)}");
        if (controls.Mode == PagingMode.None) return;
        var tables = new PageTree(machine, controls);
        int lines = 0;
        bool isCut = false;
        if (asTree)
        {
            foreach (GuestEntry entry in tables.Entries())
            {
                isCut = lines++ == limit;
                if (isCut) break;
                string indent = new(' ', 2 * ((int)controls.Mode - entry.Level));
                string target = entry.IsLeaf ? "page" : s_tableNames[entry.Level - 1] + " at";
                output.WriteLine($"{indent}{s_tableNames[entry.Level]}[{entry.Index:x3}]  linear {entry.Linear:x16}  {target} {Target(controls, entry.Value):x}"
                    + $"  {BitNames.PageTableEntry(entry.Value, entry.Level, entry.IsLeaf)}");
            }
        }
        else
        {
            output.WriteLine("linear                             physical                         size  page    access");
            foreach (MappedRange range in tables.Collect())
            {
                isCut = lines++ == limit;
                if (isCut) break;
                output.WriteLine($"{range.Linear:x16}-{range.Linear + range.SizeBytes - 1:x16}  {range.Physical:x12}-{range.Physical + range.SizeBytes - 1:x12}"
                    + $"  {Words.Size((long)range.SizeBytes),10}  {PageSize(range.PageSizeBytes),-6}  {range.Access}");
            }
        }
        if (isCut) output.WriteLine($"... more than {limit} lines: use --limit");
        if (tables.IsCutShort) output.WriteLine("... the tables refer to each other so often that not all of it was gone through");
    }

    private static int ShowWalk(CommandContext context, Machine machine, Vcpu vcpu, ulong linear, bool asJson)
    {
        PagingControls controls = PagingControls.Of(vcpu.State);
        PageWalk walk = GuestPageWalker.Walk(machine.Memory, controls, linear);
        if (asJson) JsonText.WriteObject(context.Out, json => WriteWalkJson(json, machine, vcpu, linear, walk));
        else WriteWalk(context.Out, machine, vcpu, linear, controls, walk);
        return walk.IsMapped ? ExitCode.Good : ExitCode.Failed;
    }

    private static void WriteWalk(TextWriter output, Machine machine, Vcpu vcpu, ulong linear, in PagingControls controls, in PageWalk walk)
    {
        output.WriteLine($"position {machine.Position}, vCPU {vcpu.Index}: {Describe(controls)}");
        output.WriteLine($"linear {linear:x16}");
        for (int i = 0; i < walk.StepCount; i++)
        {
            WalkStep step = walk.Steps[i];
            bool isLeaf = i == walk.StepCount - 1 && walk.IsMapped;
            string target = (step.Entry & PageTableEntry.Present) == 0 ? "" : $"  {(isLeaf ? "page" : "next table")} {Target(controls, step.Entry):x}";
            output.WriteLine($"  {s_tableNames[step.Level],-4} entry at physical {step.EntryAddress.Value:x12} = {step.Entry.ToString(step.SizeBytes == 4 ? "x8" : "x16", null)}"
                + $"  {BitNames.PageTableEntry(step.Entry, step.Level, isLeaf)}{target}");
        }
        if (walk.IsMapped)
        {
            string access = $"{(walk.User ? "user" : "supervisor only")}, {(walk.Writable ? "writable" : "read-only")}, {(walk.NoExecute ? "not executable" : "executable")}";
            string kind = machine.Memory.RamOffset(walk.Physical) >= 0 ? "" : " (no RAM: a chip, or nothing)";
            output.WriteLine($"physical {walk.Physical:x12}{kind}, in a page of {PageSize(walk.PageSizeBytes)}: {access}");
        }
        else output.WriteLine(walk.ReservedBitSet ? "not mapped: a reserved bit is set" : "not mapped: the last entry is not present");
    }

    private static void WriteWalkJson(System.Text.Json.Utf8JsonWriter json, Machine machine, Vcpu vcpu, ulong linear, PageWalk walk)
    {
        json.WritePosition("position", machine.Position);
        json.WriteNumber("cpu", vcpu.Index);
        json.WriteHexadecimal("linear", linear);
        json.WriteBoolean("mapped", walk.IsMapped);
        json.WriteHexadecimal("physical", walk.Physical);
        json.WriteNumber("pageSizeBytes", walk.PageSizeBytes);
        json.WriteBoolean("writable", walk.Writable);
        json.WriteBoolean("user", walk.User);
        json.WriteBoolean("executable", !walk.NoExecute);
        json.WriteStartArray("steps");
        for (int i = 0; i < walk.StepCount; i++)
        {
            json.WriteStartObject();
            json.WriteString("table", s_tableNames[walk.Steps[i].Level]);
            json.WriteHexadecimal("entryAddress", walk.Steps[i].EntryAddress.Value);
            json.WriteHexadecimal("entry", walk.Steps[i].Entry);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteRangesJson(CommandContext context, Machine machine, Vcpu vcpu, int limit) => JsonText.WriteObject(context.Out, json =>
    {
        PagingControls controls = PagingControls.Of(vcpu.State);
        List<MappedRange> ranges = new PageTree(machine, controls).Collect();
        json.WritePosition("position", machine.Position);
        json.WriteNumber("cpu", vcpu.Index);
        json.WriteString("mode", controls.Mode.ToString());
        json.WriteHexadecimal("root", controls.Root);
        json.WriteNumber("rangeCount", ranges.Count);
        json.WriteStartArray("ranges");
        foreach (MappedRange range in ranges.GetRange(0, Math.Min(limit, ranges.Count)))
        {
            json.WriteStartObject();
            json.WriteHexadecimal("linear", range.Linear);
            json.WriteHexadecimal("physical", range.Physical);
            json.WriteNumber("sizeBytes", range.SizeBytes);
            json.WriteNumber("pageSizeBytes", range.PageSizeBytes);
            json.WriteString("access", range.Access);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    private static ulong Target(in PagingControls controls, ulong entry) =>
        controls.Mode == PagingMode.TwoLevel ? entry & 0xFFFF_F000 : entry & PageTableEntry.AddressMask;

    private static string Describe(in PagingControls controls) => controls.Mode switch
    {
        PagingMode.None => "no paging, linear addresses are physical",
        PagingMode.TwoLevel => $"2-level paging, page directory at {controls.Root:x}",
        PagingMode.Pae => $"PAE paging, PDPT at {controls.Root:x}",
        _ => $"4-level paging, PML4 at {controls.Root:x}",
    };

    private static string PageSize(ulong sizeBytes) => sizeBytes switch
    {
        1UL << 12 => "4 KiB", 1UL << 21 => "2 MiB", 1UL << 22 => "4 MiB", _ => "1 GiB",
    };
}
