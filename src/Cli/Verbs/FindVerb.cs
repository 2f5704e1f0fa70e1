using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using Cli.Ci;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm find FILE --last-write ADDRESS ...</c></summary>
internal static class FindVerb
{
    private const string Description =
        "Finds when something happened, forwards from a position or (with --reverse, and with --last-write) backwards, and stands just before it. "
        + "Exit code 1 when it did not happen.";

    private const string Examples = """
        Addresses are hexadecimal and linear (in whatever address space is current), guest-physical with --physical; or a symbol or register, perhaps with an offset:
        vfs_read+0x40, rsp, rbp-0x20, registers as they are at --from. A Linux kernel's symbols need no file. Other numbers are decimal, or hexadecimal with 0x.
        Exceptions can be named by their mnemonics: pf, gp, ud, de, ... `any` stands for every one.

        Examples:
          ttvm find boot.ttvm --last-write 0xffffffff82a11234 --from 80%
          ttvm find boot.ttvm --last-write rsp --size 8 --from 50%
          ttvm find boot.ttvm --next-write 0x1000 --physical --size 4096 --from start
          ttvm find boot.ttvm --breakpoint 0xffffffff81000000 --from start
          ttvm find boot.ttvm --breakpoint do_exit --from end --reverse
          ttvm find boot.ttvm --exception pf --from end --reverse
          ttvm find boot.ttvm --port 0x3f8 --from 1000000
          ttvm find boot.ttvm --console "Kernel panic" --from end --reverse
          ttvm find boot.ttvm --call vfs_write --from 50% --limit 20
          ttvm find boot.ttvm --call do_exit --last --at end
          ttvm find stack.ttvm --cas stack --from 50% --limit 100
          ttvm find boot.ttvm --call vfs_write --shard 2/8 > part-2.json
        """;

    private static readonly string[] s_exceptions =
        ["de", "db", "nmi", "bp", "of", "br", "ud", "nm", "df", "", "ts", "np", "ss", "gp", "pf", "", "mf", "ac", "mc", "xm"];

    private sealed record Options
    {
        public Option<string?> LastWrite { get; } = Address("--last-write", "The last write to memory before the position");
        public Option<string?> NextWrite { get; } = Address("--next-write", "The next write to memory after the position");
        public Option<string?> Read { get; } = Address("--read", "A read of memory");
        public Option<string?> Access { get; } = Address("--access", "A read or write of memory");
        public Option<string?> Breakpoint { get; } = Address("--breakpoint", "The execution of an instruction");
        public Option<string?> Exception { get; } = Number("--exception", "VECTOR", "The delivery of an exception");
        public Option<string?> Interrupt { get; } = Number("--interrupt", "VECTOR", "The delivery of a hardware interrupt");
        public Option<string?> SoftwareInterrupt { get; } = Number("--software-interrupt", "VECTOR", "INT n; SYSCALL and SYSENTER with `any`");
        public Option<string?> Port { get; } = Number("--port", "PORT", "An IN or OUT of a port");
        public Option<string?> Mmio { get; } = Address("--mmio", "An access to a chip's registers at a guest-physical address");
        public Option<string?> Msr { get; } = Number("--msr", "MSR", "An RDMSR or WRMSR of a model-specific register");
        public Option<string?> Cr { get; } = Number("--cr", "N", "A write of a control register: 0, 2, 3, 4 or 8");
        public Option<string?> Console { get; } = Number("--console", "TEXT", "A console has printed a text");

        public Option<string?>[] All => [LastWrite, NextWrite, Read, Access, Breakpoint, Exception, Interrupt, SoftwareInterrupt, Port, Mmio, Msr, Cr, Console];

        public Option<string?> From { get; } = new("--from") { Description = "Where to begin; by default the start, or backwards the end", HelpName = "POSITION" };
        public Option<bool> Reverse { get; } = new("--reverse", "-r") { Description = "Go backwards" };
        public Option<bool> Physical { get; } = new("--physical", "-p") { Description = "The address is guest-physical" };
        public Option<string> Size { get; } = new("--size") { Description = "How many bytes are watched", HelpName = "BYTES", DefaultValueFactory = static _ => "1" };
        public Option<int?> Cpu { get; } = new("--cpu") { Description = "Only what this vCPU does", HelpName = "N" };
        public Option<string?> Shard { get; } = ShardedScan.Option();
        public Option<bool> Json { get; } = SharedOptions.Json();
        public FindTableOptions Table { get; } = new();
        public CallsFinder Calls { get; }
        public AtomicsFinder Atomics { get; }

        public Options()
        {
            Calls = new CallsFinder(Table);
            Atomics = new AtomicsFinder(Table, Size, Physical);
        }

        private static Option<string?> Address(string name, string description) => new(name) { Description = description, HelpName = "ADDRESS" };
        private static Option<string?> Number(string name, string helpName, string description) => new(name) { Description = description, HelpName = helpName };
    }

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var o = new Options();
        var verb = new VerbCommand("find", Description, Examples) { file };
        foreach (Option<string?> option in o.All) verb.Add(option);
        foreach (Option option in (Option[])[o.From, o.Reverse, o.Physical, o.Size, o.Cpu, o.Shard, o.Json]) verb.Add(option);
        foreach (Option option in (Option[])[.. o.Calls.Options, o.Atomics.Swap, .. o.Table.All]) verb.Add(option);
        return verb.Does(parsed => Find(context, parsed.GetValue(file)!, o, parsed));
    }

    private static int Find(CommandContext context, string path, Options o, ParseResult parsed)
    {
        Option<string?>[] given = [.. o.All.Where(option => parsed.GetValue(option) is not null)];
        bool isCall = parsed.GetValue(o.Calls.Call) is not null, isSwap = parsed.GetValue(o.Atomics.Swap) is not null;
        if (given.Length == 0 && isCall != isSwap)
        {
            using OpenRecording whole = OpenRecording.Open(path, context);
            ShardedScan? part = ShardedScan.Of(parsed, o.Shard, whole);
            return isCall ? o.Calls.Run(context, whole, parsed, parsed.GetValue(o.From), parsed.GetValue(o.Json), part)
                : o.Atomics.Run(context, whole, parsed, parsed.GetValue(o.From), parsed.GetValue(o.Json), part);
        }
        if (given.Length != 1 || isCall || isSwap)
        {
            throw CommandException.Usage("find: give exactly one thing to find, such as --last-write ADDRESS or --console TEXT; "
                + (given.Length == 0 && !isCall ? "there is none" : "there are several"));
        }
        bool reverse = (parsed.GetValue(o.Reverse) || given[0] == o.LastWrite) && given[0] != o.NextWrite;
        using OpenRecording recording = OpenRecording.Open(path, context);
        if (parsed.GetValue(o.Cpu) is { } cpu) recording.CheckCpu(cpu);
        Position from = recording.Seek(parsed.GetValue(o.From) ?? (reverse ? "end" : "start"));
        StopCondition condition = Condition(o, given[0], parsed, recording) with { CpuIndex = parsed.GetValue(o.Cpu) };
        if (ShardedScan.Of(parsed, o.Shard, recording) is { } shard) return WritePart(context, recording, shard, condition, from, reverse);
        MachineEvent? found = ProgressDisplay.Run(reverse ? "searching backwards" : "searching", progress =>
            Search(recording.Timeline, condition, reverse, progress, context));
        string what = $"{given[0].Name} {parsed.GetValue(given[0])}";
        if (found is not { } hit)
        {
            if (parsed.GetValue(o.Json)) JsonText.WriteObject(context.Out, json => json.WriteBoolean("found", false));
            context.Error.WriteLine($"ttvm: nothing found: {what} does not occur {(reverse ? "before" : "after")} {from} in {path}");
            return ExitCode.Failed;
        }
        if (parsed.GetValue(o.Json)) JsonText.WriteObject(context.Out, json => EventView.Write(json, recording.Machine, hit));
        else WriteText(context, recording, path, Repetition(o, given[0], parsed, condition), reverse, hit);
        return ExitCode.Good;
    }

    // The first hit of the part that counts, or the last one: of the parts, the first that has one has the one.
    private static int WritePart(CommandContext context, OpenRecording recording, ShardedScan shard, StopCondition condition, Position from, bool reverse)
    {
        Timeline timeline = recording.Timeline;
        TimelineStop? stop = null;
        if ((reverse ? shard.StretchOf(timeline.Start, from) : shard.StretchOf(from, timeline.End)) is { } stretch)
        {
            timeline.Seek(reverse ? stretch.Before : stretch.From, null, context.Cancellation);
            // A search begins behind the cursor; what happens at the first position of a later part is that part's.
            if (!reverse && !stretch.IsFirst) timeline.StepBack(1, null, context.Cancellation);
            Position? limit = reverse ? stretch.IsFirst ? null : stretch.From : stretch.IsLast ? null : stretch.Before;
            stop = ProgressDisplay.Run("searching", progress => reverse ? timeline.ReverseContinue([condition], limit, progress, context.Cancellation)
                : timeline.Continue([condition], limit, progress, context.Cancellation));
        }
        shard.Write(context, reverse ? MergeVerb.Last : MergeVerb.First, 1, json =>
        {
            json.WriteStartObject();
            if (stop is { Reason: TimelineStopReason.Hit } hit) EventView.Write(json, recording.Machine, hit.Hits[0].Event);
            else json.WriteBoolean("found", false);
            json.WriteEndObject();
        });
        return ExitCode.Good;
    }

    private static MachineEvent? Search(Timeline timeline, StopCondition condition, bool reverse, ProgressDisplay progress, CommandContext context)
    {
        // A memory watch has a search of its own, which skips stretches that did not write the page.
        if (condition is { Kind: StopConditionKind.Watch, Reads: false, CpuIndex: null })
        {
            return reverse ? timeline.LastWrite((ulong)condition.Number, condition.SizeBytes, condition.IsPhysical, progress, context.Cancellation)
                : timeline.NextWrite((ulong)condition.Number, condition.SizeBytes, condition.IsPhysical, progress, context.Cancellation);
        }
        TimelineStop stop = reverse ? timeline.ReverseContinue([condition], progress, context.Cancellation)
            : timeline.Continue([condition], progress, context.Cancellation);
        return stop.Reason == TimelineStopReason.Hit ? stop.Hits[0].Event : null;
    }

    private static void WriteText(CommandContext context, OpenRecording recording, string path, string repetition, bool reverse, in MachineEvent hit)
    {
        foreach (string line in EventView.Describe(recording.Machine, hit)) context.Out.WriteLine(line);
        context.Out.WriteLine();
        context.Out.WriteLine($"stand there:         ttvm regs {path} --at {hit.At}");
        context.Out.WriteLine($"what led to it:      ttvm back {path} --at {hit.At} --steps 10");
        context.Out.WriteLine($"the one {(reverse ? "before" : "after")}:{(reverse ? "  " : "   ")}     ttvm find {path} {repetition} --from {hit.At}");
    }

    // The options that say what is looked for, to be typed again.
    private static string Repetition(Options o, Option<string?> given, ParseResult parsed, StopCondition condition)
    {
        bool isAddress = condition.Kind is StopConditionKind.Watch or StopConditionKind.Breakpoint or StopConditionKind.PhysicalBreakpoint or StopConditionKind.Mmio;
        string value = isAddress ? $"0x{condition.Number:x}" : parsed.GetValue(given)!;
        var words = new List<string> { given.Name, value.Contains(' ', StringComparison.Ordinal) ? $"'{value}'" : value };
        if (parsed.GetValue(o.Size) != "1") words.Add($"--size {parsed.GetValue(o.Size)}");
        if (parsed.GetValue(o.Physical)) words.Add("--physical");
        if (parsed.GetValue(o.Cpu) is { } cpu) words.Add($"--cpu {cpu}");
        if (parsed.GetValue(o.Reverse)) words.Add("--reverse");
        return string.Join(' ', words);
    }

    private static StopCondition Condition(Options o, Option<string?> given, ParseResult parsed, OpenRecording recording)
    {
        string text = parsed.GetValue(given)!;
        bool isPhysical = parsed.GetValue(o.Physical);
        int size = Math.Max(1, NumberSyntax.ParseNumber(parsed.GetValue(o.Size)!, "--size", 1 << 30));
        ulong Address() => new AddressLookup(recording, parsed.GetValue(o.Table.Symbols)).Parse(text, given.Name, recording.Machine, recording.Vcpu(null));
        int? Vector() => text == "any" ? null : NumberSyntax.ParseNumber(text, given.Name, 255);
        if (given == o.LastWrite || given == o.NextWrite) return StopCondition.Watch(Address(), size, WatchAccess.Write, isPhysical);
        if (given == o.Read) return StopCondition.Watch(Address(), size, WatchAccess.Read, isPhysical);
        if (given == o.Access) return StopCondition.Watch(Address(), size, WatchAccess.Access, isPhysical);
        if (given == o.Breakpoint) return isPhysical ? StopCondition.PhysicalBreakpoint(Address()) : StopCondition.Breakpoint(Address());
        if (given == o.Exception) return StopCondition.Exception(ParseException(text));
        if (given == o.Interrupt) return StopCondition.Interrupt(Vector());
        if (given == o.SoftwareInterrupt) return StopCondition.SoftwareInterrupt(Vector());
        if (given == o.Port) return StopCondition.Port(NumberSyntax.ParseNumber(text, given.Name, 0xFFFF));
        if (given == o.Mmio) return StopCondition.Mmio(Address(), size);
        if (given == o.Msr)
        {
            ulong msr = NumberSyntax.ParseCount(text, given.Name);
            if (msr > uint.MaxValue) throw CommandException.Usage($"--msr: {text} is too big: MSRs are numbers of 32 bits");
            return StopCondition.Msr((uint)msr);
        }
        if (given == o.Cr)
        {
            int register = NumberSyntax.ParseNumber(text, given.Name, 8);
            if (register is not (0 or 2 or 3 or 4 or 8)) throw CommandException.Usage($"--cr: there is no CR{register}: use 0, 2, 3, 4 or 8");
            return StopCondition.ControlRegister(register);
        }
        return StopCondition.ConsoleText(text);
    }

    private static int? ParseException(string text)
    {
        if (text == "any") return null;
        string name = text.TrimStart('#').ToLowerInvariant();
        int index = name.Length == 0 ? -1 : Array.IndexOf(s_exceptions, name);
        return index >= 0 ? index : NumberSyntax.ParseNumber(text, "--exception", 31);
    }
}
