using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Cli.Sandboxing;
using Replay.Exploration;
using Replay.Recording;
using Vmm.Platform;

namespace Cli.Verbs;

/// <summary><c>ttvm explore KERNEL --cpus N --seeds N ...</c></summary>
internal static class ExploreVerb
{
    private const string Description =
        "Runs a kernel under many schedules, on all processors, and records only those under which it fails. Each seed is another chaos of turns. A failing schedule is then "
        + "shrunk to the fewest forced switches between vCPUs that still make the kernel fail, and recorded in that form too.";

    private const string Examples = """
        What a failure is:
          an exit code other than --good-exit at the debug-exit port (0xf4)
          a triple fault, or an instruction that ttvm does not have
          a hang: the run has not ended after --max-instructions, or every vCPU is halted for ever
          with --fails-on text:S, also that a console prints S

        For each failing schedule DIR gets
          seed-N.ttvm            as it was found, the same as `ttvm record --chaos N`
          seed-N.shrunk.ttvm     with the forced switches only
          seed-N.schedule        these switches, for `ttvm record --schedule`

        Exit code: 0 when no schedule fails, 1 when one does.

        Examples:
          ttvm explore artifacts/guests/concurrency-mcs-broken.elf --cpus 4 --seeds 1000 -o explored
          ttvm explore guests/prebuilt/demo64.elf --cpus 4 --seeds 100 --good-exit 0x10 --append "lock=broken" -o explored
          ttvm explore kernel.elf --cpus 2 --seeds 500 --fails-on text:panic --keep 3 -o explored
        """;

    private sealed record Options
    {
        public Argument<string> Kernel { get; } = new("KERNEL") { Description = "Kernel to boot" };
        public Option<string?> Initrd { get; } = new("--initrd") { Description = "Its initial RAM disk, or Multiboot module", HelpName = "FILE" };
        public Option<string> Append { get; } = new("--append") { Description = "Its command line", HelpName = "TEXT", DefaultValueFactory = static _ => "" };
        public Option<int> Cpus { get; } = new("--cpus") { Description = "Number of vCPUs, 2 to 8", HelpName = "N", DefaultValueFactory = static _ => 4 };
        public Option<string> Memory { get; } = new("--memory") { Description = "Size of memory", HelpName = "SIZE", DefaultValueFactory = static _ => "64M" };
        public Option<ulong> Seeds { get; } = new("--seeds") { Description = "At most so many seeds", HelpName = "N", DefaultValueFactory = static _ => 1000 };
        public Option<ulong> FromSeed { get; } = new("--from-seed") { Description = "The first seed", HelpName = "S", DefaultValueFactory = static _ => 0 };
        public Option<string> Output { get; } = new("--output", "-o") { Description = "Where recordings go; it is made", HelpName = "DIR", DefaultValueFactory = static _ => "explored" };
        public Option<string> MaxInstructions { get; } = new("--max-instructions")
        {
            Description = "A run of so many instructions hangs", HelpName = "N", DefaultValueFactory = static _ => "20,000,000",
        };

        public Option<string> GoodExit { get; } = new("--good-exit") { Description = "The exit code that means success", HelpName = "CODE", DefaultValueFactory = static _ => "0" };
        public Option<string?> FailsOn { get; } = new("--fails-on") { Description = "Printing S is a failure as well", HelpName = "text:S" };
        public Option<int> Keep { get; } = new("--keep")
        {
            Description = "Stop after so many failing schedules; 0: try all seeds, count the failures and record none", HelpName = "N", DefaultValueFactory = static _ => 1,
        };

        public Option<bool> NoShrink { get; } = new("--no-shrink") { Description = "Do not shrink schedules" };
        public Option<bool> Json { get; } = SharedOptions.Json();
    }

    /// <summary>A failing schedule, and where it is kept.</summary>
    private sealed record Kept(FailingSeed Failing, string Recording, string? ShrunkRecording, string? ScheduleFile, ExploredSchedule? Shrunk, IReadOnlyList<string> Places);

    public static VerbCommand Create(CommandContext context)
    {
        var o = new Options();
        var verb = new VerbCommand("explore", Description, Examples)
        {
            o.Kernel, o.Initrd, o.Append, o.Cpus, o.Memory, o.Seeds, o.FromSeed, o.Output, o.MaxInstructions, o.GoodExit, o.FailsOn, o.Keep, o.NoShrink, o.Json,
        };
        return verb.Confined(Confinement.None).Does(parsed => Explore(context, o, parsed));
    }

    private static int Explore(CommandContext context, Options o, ParseResult parsed)
    {
        int cpus = parsed.GetValue(o.Cpus), keep = parsed.GetValue(o.Keep);
        if (cpus == 1) throw CommandException.Usage("--cpus 1: one vCPU has one schedule: use 2 to 8");
        if (keep < 0) throw CommandException.Usage($"--keep: {keep} is not a number of schedules");
        ulong first = parsed.GetValue(o.FromSeed), count = parsed.GetValue(o.Seeds);
        FailureCriteria criteria = Criteria(o, parsed);
        MachineConfiguration configuration = new MachineSetup
        {
            Kernel = parsed.GetValue(o.Kernel), Initrd = parsed.GetValue(o.Initrd), CommandLine = parsed.GetValue(o.Append)!, CpuCount = cpus, Memory = parsed.GetValue(o.Memory)!,
            NameOf = static option => $"--{option}",
        }.Configure() with { Engine = context.Engine };
        string folder = parsed.GetValue(o.Output)!;
        if (File.Exists(folder)) throw CommandException.Usage($"{folder} is a file: name a directory with -o");

        Exploration exploration = ProgressDisplay.Run("trying seeds", progress => new ScheduleExplorer(configuration, criteria)
            .Run(first, count, keep, 0, new SeedProgress(progress), context.Cancellation));
        var kept = new List<Kept>();
        if (keep > 0)
        {
            foreach (FailingSeed failing in exploration.Failures)
                kept.Add(Keep(context, configuration, criteria, failing, folder, !parsed.GetValue(o.NoShrink)));
        }
        if (parsed.GetValue(o.Json)) WriteJson(context.Out, first, exploration, kept);
        else Write(context.Out, first, exploration, kept);
        return exploration.Failures.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }

    private static FailureCriteria Criteria(Options o, ParseResult parsed)
    {
        string? failsOn = parsed.GetValue(o.FailsOn);
        if (failsOn is not null && (!failsOn.StartsWith("text:", StringComparison.Ordinal) || failsOn.Length == 5))
            throw CommandException.Usage($"--fails-on: '{failsOn}' is not text:S");
        return new FailureCriteria
        {
            GoodExitCode = (uint)NumberSyntax.ParseNumber(parsed.GetValue(o.GoodExit)!, "--good-exit", int.MaxValue), FailureText = failsOn?[5..],
            MaximumInstructions = NumberSyntax.ParseCount(parsed.GetValue(o.MaxInstructions)!, "--max-instructions"),
        };
    }

    private static Kept Keep(CommandContext context, MachineConfiguration configuration, FailureCriteria criteria, FailingSeed failing, string folder, bool shrinks)
    {
        Directory.CreateDirectory(folder);
        string stem = Path.Combine(folder, $"seed-{failing.Seed}"), path = $"{stem}.ttvm";
        Record(context, ScheduleExplorer.WithSeed(configuration, failing.Seed), criteria, path);
        if (!shrinks) return new Kept(failing, path, null, null, null, []);
        ExploredSchedule shrunk = ProgressDisplay.Run("shrinking the schedule", progress =>
        {
            progress.Report(double.NaN);
            return new ScheduleShrinker(configuration, criteria, context.Cancellation).Shrink(failing);
        });
        string shrunkPath = $"{stem}.shrunk.ttvm", schedulePath = $"{stem}.schedule";
        Record(context, shrunk.Apply(configuration), criteria, shrunkPath);
        IReadOnlyList<string> places = DescribePlaces(context, shrunkPath, shrunk);
        File.WriteAllText(schedulePath, ScheduleFile.Write([.. shrunk.Switches.Select(static one => one.Switch)],
            $"{Path.GetFileName(configuration.FindImage("kernel")!.Name)}, {configuration.CpuCount} vCPUs: {shrunk.Verdict.Detail}", i => places[i]));
        return new Kept(failing, path, shrunkPath, schedulePath, shrunk, places);
    }

    private static void Record(CommandContext context, MachineConfiguration configuration, FailureCriteria criteria, string path) =>
        ScheduleRecorder.Record(configuration, criteria,
            new RecorderOptions { Path = path, Overwrite = true, CheckpointInterval = 1_000_000, RecordedFrom = "ttvm explore", Loggers = context.Loggers }, context.Cancellation);

    // "vCPU 0 at mcs_release+0x12, mcs.c:62, for vCPU 2"
    private static IReadOnlyList<string> DescribePlaces(CommandContext context, string path, ExploredSchedule shrunk)
    {
        using OpenRecording recording = OpenRecording.Open(path, context);
        using Introspection.Programs.GuestPrograms programs = recording.LoadSymbols(null, null);
        Introspection.Programs.SymbolSet symbols = programs.AsLinked;
        var places = new List<string>();
        foreach (ExploredSwitch one in shrunk.Switches)
        {
            string place = symbols.NameOf(one.Address, out ulong offset) is { } name ? $"{name}+0x{offset:x}" : $"0x{one.Address:x}";
            string line = symbols.LineOf(one.Address) is { } source ? $", {Path.GetFileName(source.Path)}:{source.Line}" : "";
            places.Add(one.Interrupts ? $"vCPU {one.From} is interrupted at {place}{line}, for vCPU {one.Switch.CpuIndex}"
                : $"vCPU {one.From} waits at {place}{line}, and vCPU {one.Switch.CpuIndex} comes next");
        }
        return places;
    }

    private static void Write(TextWriter output, ulong first, Exploration exploration, List<Kept> kept)
    {
        string work = $"{Words.Plural((long)exploration.SeedCount, "seed")} from {first}, {Words.Count(exploration.InstructionCount)} instructions";
        if (exploration.Failures.Count == 0) output.WriteLine($"no schedule fails: {work}");
        else output.WriteLine($"{Words.Plural(exploration.Failures.Count, "failing schedule")} in {work}; the first is number {exploration.Failures[0].Seed - first + 1}");
        foreach (Kept one in kept)
        {
            output.WriteLine($"seed {one.Failing.Seed}: {one.Failing.Verdict.Detail}, after {Words.Count(one.Failing.Verdict.InstructionCount)} instructions");
            if (one.Failing.Verdict.LastLine.Length > 0) output.WriteLine($"  it printed:  {one.Failing.Verdict.LastLine}");
            output.WriteLine($"  recorded:    {one.Recording}");
            if (one.Shrunk is not { } shrunk) continue;
            output.WriteLine($"  shrunk:      {one.ShrunkRecording}, from {shrunk.OriginalCount} forced switches to {shrunk.Switches.Count}, {Words.Plural(shrunk.TrialCount, "trial")}"
                + (shrunk.IsMinimal ? "" : "; there may be fewer"));
            if (shrunk.Verdict.LastLine.Length > 0) output.WriteLine($"  it printed:  {shrunk.Verdict.LastLine}");
            for (int i = 0; i < shrunk.Switches.Count; i++) output.WriteLine($"    at {shrunk.Switches[i].Switch.InstructionCount}  {one.Places[i]}");
            output.WriteLine($"  again:       ttvm record --schedule {one.ScheduleFile} ...");
        }
    }

    private static void WriteJson(TextWriter output, ulong first, Exploration exploration, List<Kept> kept) => JsonText.WriteObject(output, json =>
    {
        json.WriteNumber("fromSeed", first);
        json.WriteNumber("seedCount", exploration.SeedCount);
        json.WriteNumber("instructionCount", exploration.InstructionCount);
        json.WriteStartArray("failures");
        foreach (FailingSeed failing in exploration.Failures)
        {
            json.WriteStartObject();
            json.WriteNumber("seed", failing.Seed);
            json.WriteString("kind", failing.Verdict.Kind.ToString());
            json.WriteString("detail", failing.Verdict.Detail);
            json.WriteString("lastLine", failing.Verdict.LastLine);
            json.WriteNumber("instructionCount", failing.Verdict.InstructionCount);
            if (kept.Find(one => one.Failing == failing) is { } found) WriteKept(json, found);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    private static void WriteKept(System.Text.Json.Utf8JsonWriter json, Kept kept)
    {
        json.WriteString("recording", kept.Recording);
        if (kept.Shrunk is not { } shrunk) return;
        json.WriteString("shrunkRecording", kept.ShrunkRecording);
        json.WriteString("schedule", kept.ScheduleFile);
        json.WriteNumber("originalSwitchCount", shrunk.OriginalCount);
        json.WriteNumber("trialCount", shrunk.TrialCount);
        json.WriteBoolean("isMinimal", shrunk.IsMinimal);
        json.WriteStartArray("switches");
        for (int i = 0; i < shrunk.Switches.Count; i++)
        {
            ExploredSwitch one = shrunk.Switches[i];
            json.WriteStartObject();
            json.WriteNumber("instructionCount", one.Switch.InstructionCount);
            json.WriteNumber("from", one.From);
            json.WriteNumber("to", one.Switch.CpuIndex);
            json.WriteBoolean("interrupts", one.Interrupts);
            json.WriteHexadecimal("address", one.Address);
            json.WriteString("place", kept.Places[i]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private sealed class SeedProgress(ProgressDisplay display) : IProgress<ExplorationProgress>
    {
        public void Report(ExplorationProgress value) => display.Report((double)value.DoneSeeds / Math.Max(1, value.TotalSeeds));
    }
}
