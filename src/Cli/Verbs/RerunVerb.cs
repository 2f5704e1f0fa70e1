using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Cli.Ci;
using Cli.Expectations;
using Cli.Hosting;
using Cli.Logging;
using Cli.Parsing;
using Cli.Presentation;
using Dap.Protocol;
using Dap.Sessions;
using Microsoft.Extensions.Logging;
using Replay.Packages;
using Replay.Recording;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm rerun FILE --kernel NEW --expect FILE</c></summary>
internal static class RerunVerb
{
    private const string BookmarkPrefix = "not met: ";

    private const string Description =
        "Runs a new build of the guest in the world of a recording: the same machine, inputs, clock, random bytes and schedule seed. It records that run and checks what is expected of it, "
        + "so that a recorded bug becomes a regression test. Exit code 0 if all expectations are met, 1 if not.";

    private static readonly string s_examples = $$"""
        What the new build gets:
          inputs       as many instructions behind the line or prompt that the guest printed last as in the recording, in the recorded order: a build that is slower or faster
                       gets them when it is ready for them. Without anything printed, at the recorded position
          clock        the virtual clock runs by itself. A host clock gives the recorded answers where the recorded guest read it, and runs evenly between
          schedule     the same chaos seed or forced switches
        The recorded build gets all of it where it got it: its rerun is the same recording. A rerun is repeatable.

        {{ExpectFile.Help}}
        Without --expect: exits as recorded, no panic.

        The run ends as the guest does, or after --max-instructions. If an expectation is not met, the recording is kept, and has a bookmark where it shows: VS Code opens it there.
        If all are met, it is only kept with -o.

        Examples:
          ttvm rerun bug.ttvm --kernel build/kernel.elf
          ttvm rerun bug.ttvm --kernel build/kernel.elf --expect bug.expect --junit results.xml
          ttvm rerun boot.ttvm --kernel bzImage --initrd initrd.gz --expect boot.expect -o again.ttvm
        """;

    private sealed record Options
    {
        public Argument<string> File { get; } = SharedOptions.File();
        public Option<string?> Kernel { get; } = new("--kernel") { Description = "The new kernel; by default the recorded one", HelpName = "FILE" };
        public Option<string?> Initrd { get; } = new("--initrd") { Description = "The new initial RAM disk; by default the recorded one", HelpName = "FILE" };
        public Option<string?> Append { get; } = new("--append") { Description = "Another command line", HelpName = "TEXT" };
        public Option<string?> Expect { get; } = new("--expect") { Description = "What is expected", HelpName = "FILE" };
        public Option<string?> Output { get; } = new("--output", "-o") { Description = "Where the new recording goes; by default NAME.rerun.ttvm here", HelpName = "FILE" };
        public Option<string?> MaxInstructions { get; } = new("--max-instructions")
        {
            Description = "Stop a run that does not end; by default four times the recorded number, and 100 million more", HelpName = "N",
        };

        public Option<string[]> Symbols { get; } = SharedOptions.Symbols();
        public Option<string?> JUnit { get; } = SharedOptions.JUnit();
        public Option<bool> Force { get; } = SharedOptions.Force();
        public Option<bool> Json { get; } = SharedOptions.Json();
    }

    /// <summary>A run that was recorded and judged.</summary>
    private sealed record Judged(string Path, bool IsKept, RecordingManifest Original, Position End, string Outcome, RecordedInput Input, TimeSpan Time,
        IReadOnlyList<ExpectationResult> Results)
    {
        public int MissedCount => Results.Count(static one => !one.IsMet);
    }

    public static VerbCommand Create(CommandContext context)
    {
        var o = new Options();
        var verb = new VerbCommand("rerun", Description, s_examples)
        {
            o.File, o.Kernel, o.Initrd, o.Append, o.Expect, o.Output, o.MaxInstructions, o.Symbols, o.JUnit, o.Force, o.Json,
        };
        return verb.Writes(parsed => [OutputOf(o, parsed)]).Does(parsed => Rerun(context, o, parsed));
    }

    private static string OutputOf(Options o, ParseResult parsed) => parsed.GetValue(o.Output) ?? $"{Path.GetFileNameWithoutExtension(parsed.GetValue(o.File))}.rerun.ttvm";

    private static int Rerun(CommandContext context, Options o, ParseResult parsed)
    {
        string path = parsed.GetValue(o.File)!;
        IReadOnlyList<Expectation> expected = parsed.GetValue(o.Expect) is { } file ? ExpectFile.Read(file) : ExpectFile.Standard;
        string output = OutputOf(o, parsed);
        bool isNamed = parsed.GetValue(o.Output) is not null, force = parsed.GetValue(o.Force);
        CommandException.RequireFree(output, force);
        OpenRecording.CheckOutput(path, output, context);
        Judged judged;
        using (RecordingFile original = OpenRecording.OpenFile(path, context))
        {
            OpenRecording.RequireWhole(original, path, "rerun");
            ulong most = parsed.GetValue(o.MaxInstructions) is { } text ? NumberSyntax.ParseCount(text, "--max-instructions") : MostOf(original);
            (RecordedInput input, TimeSpan time) = Record(context, original, Configure(o, parsed, original), output, force, most);
            judged = Judge(context, original.Manifest, output, isNamed, input, time, expected, parsed.GetValue(o.Symbols));
        }
        if (!judged.IsKept) File.Delete(output);
        if (parsed.GetValue(o.JUnit) is { } junit) JUnitReport.Write(junit, $"ttvm rerun {path}", CasesOf(path, judged));
        if (parsed.GetValue(o.Json)) WriteJson(context, judged);
        else Write(context, path, judged);
        return judged.MissedCount > 0 ? ExitCode.Failed : ExitCode.Good;
    }

    // One that was stopped has no end of its own.
    private static ulong MostOf(RecordingFile original) =>
        original.Outcome.Kind == OutcomeKind.None ? original.End.InstructionCount : checked(original.End.InstructionCount * 4 + 100_000_000);

    private static MachineConfiguration Configure(Options o, ParseResult parsed, RecordingFile original)
    {
        if (original.Start > Vmm.Time.Position.Start)
            throw CommandException.Usage($"{original.Path} begins at position {original.Start}: a new build needs a recording that begins at power-on");
        MachineConfiguration configuration = original.Configuration with { Boots = true };
        var images = new List<MachineImage>(configuration.Images);
        foreach ((string role, string? path) in (ReadOnlySpan<(string, string?)>)[("kernel", parsed.GetValue(o.Kernel)), ("initrd", parsed.GetValue(o.Initrd))])
        {
            if (path is null) continue;
            if (configuration.Boot != BootKind.Kernel) throw CommandException.Usage($"--{role}: {original.Path} starts a disk or a BIOS, not a kernel");
            images.RemoveAll(image => image.Role == role);
            images.Add(MachineSetup.ReadImage(role, path));
        }
        // The order in which `record` has them.
        images.Sort(static (a, b) => RankOf(a.Role).CompareTo(RankOf(b.Role)));
        return configuration with { Images = images, CommandLine = parsed.GetValue(o.Append) ?? configuration.CommandLine };

        static int RankOf(string role) => role switch { "kernel" => 0, "initrd" => 1, "bios" => 2, _ => 3 + (role[^1] - '0') };
    }

    private static (RecordedInput Input, TimeSpan Time) Record(CommandContext context, RecordingFile original, MachineConfiguration configuration, string output, bool force, ulong most)
    {
        var input = new RecordedInput(original);
        var watch = Stopwatch.StartNew();
        var options = new RecorderOptions { Path = output, Overwrite = force, RecordedFrom = $"ttvm rerun {Path.GetFileName(original.Path)}", Loggers = context.Loggers };
        context.Loggers.CreateLogger(typeof(RerunVerb).FullName!).RerunBegins(original.Path, output, input.Count, most);
        // Checkpoints where the original has them, so that two runs have digests at the same positions.
        if (original.Checkpoints.Count > 2) options = options with { CheckpointInterval = original.Checkpoints[1].Position.InstructionCount };
        using var recorder = new Recorder(configuration, input, new RecordedHost(original), options);
        ProgressDisplay.Run("running the new build", progress =>
        {
            const ulong slice = 20_000_000;
            ulong usual = Math.Max(1, original.End.InstructionCount);
            for (ulong next = 0; next < most;)
            {
                next = most - next > slice ? next + slice : most;
                if (recorder.Run(next, context.Cancellation) != RecorderStop.CountReached) break;
                progress.Report((double)next / Math.Max(usual, next));
            }
            recorder.Finish();
            return true;
        });
        context.Cancellation.ThrowIfCancellationRequested();
        return (input, watch.Elapsed);
    }

    private static Judged Judge(CommandContext context, RecordingManifest original, string output, bool isNamed, RecordedInput input, TimeSpan time, IReadOnlyList<Expectation> expected,
        string[]? symbols)
    {
        using OpenRecording recording = OpenRecording.Open(output, context);
        using var check = new ExpectationCheck(context, recording, original, symbols);
        ExpectationResult[] results = [.. expected.Select(check.Check)];
        ILogger log = context.Loggers.CreateLogger(typeof(RerunVerb).FullName!);
        foreach (ExpectationResult one in results) log.Expected(one.Expectation.Source, one.IsMet, one.Detail);
        bool isMet = results.All(static one => one.IsMet);
        Bookmark(output, results);
        return new Judged(output, isNamed || !isMet, original, recording.File.End, OutcomeText.Describe(recording.File.Outcome), input, time, results);
    }

    // What an earlier rerun into the same file has left does not hold any more.
    private static void Bookmark(string output, IReadOnlyList<ExpectationResult> results)
    {
        try
        {
            var file = new BookmarkFile(output);
            foreach (TtvmBookmark old in file.Read())
                if (old.Name.StartsWith(BookmarkPrefix, StringComparison.Ordinal)) file.Remove(old.Name);
            foreach (ExpectationResult one in results)
                if (one is { IsMet: false, At: { } at }) file.Set(new TtvmBookmark { Name = BookmarkPrefix + one.Expectation.Source, Position = at.ToString(), Note = one.Detail });
        }
        catch (RequestException e)
        {
            throw CommandException.BadFile(e.Message);
        }
    }

    private static IReadOnlyList<JUnitCase> CasesOf(string path, Judged judged) =>
        [.. judged.Results.Select((one, i) => new JUnitCase(one.Expectation.Source, $"ttvm.rerun.{Path.GetFileName(path)}",
        one.IsMet ? JUnitResult.Good : JUnitResult.Failure, one.Detail, i == 0 ? judged.Time : TimeSpan.Zero,
        one.IsMet ? one.Detail : $"{one.Detail}\nrecording: {judged.Path}{(one.At is { } at ? $"\nposition: {at}" : "")}"))];

    private static void Write(CommandContext context, string path, Judged judged)
    {
        TextWriter output = context.Out;
        output.WriteLine($"{path}: {judged.Outcome}; {Words.Count(judged.End.InstructionCount)} instructions, recorded were {Words.Count(judged.Original.End.InstructionCount)}");
        if (judged.Input.GivenCount < judged.Input.Count)
        {
            string awaited = judged.Input.AwaitedText is { } text ? $": the next one waits for '{text}'" : "";
            output.WriteLine($"{judged.Input.GivenCount} of {Words.Plural(judged.Input.Count, "input")} were given{awaited}");
        }
        foreach (ExpectationResult one in judged.Results)
            output.WriteLine($"  {(one.IsMet ? "met    " : "NOT MET")}  {one.Expectation.Source}{(one.Detail.Length > 0 ? $"  ({one.Detail})" : "")}");
        output.WriteLine(judged.MissedCount == 0 ? $"{Words.Plural(judged.Results.Count, "expectation")}: all met"
            : $"{judged.MissedCount} of {Words.Plural(judged.Results.Count, "expectation")} not met");
        if (!judged.IsKept) return;
        output.WriteLine($"recorded:    {judged.Path}");
        // The first of them: what comes later may be its consequence.
        if (judged.Results.Where(static one => one is { IsMet: false, At: not null }).MinBy(static one => one.At) is not { At: { } at }) return;
        output.WriteLine($"the place:   {at}, as a bookmark beside it; in launch.json: \"program\": \"{judged.Path}\", \"at\": \"{at}\"");
        output.WriteLine($"look at it:  ttvm back {judged.Path} --at {at} --steps 10");
        output.WriteLine($"compare:     ttvm diff {path} {judged.Path}");
    }

    private static void WriteJson(CommandContext context, Judged judged) => JsonText.WriteObject(context.Out, json =>
    {
        json.WriteBoolean("good", judged.MissedCount == 0);
        json.WriteString("recording", judged.IsKept ? judged.Path : null);
        json.WriteString("outcome", judged.Outcome);
        json.WritePosition("end", judged.End);
        json.WriteNumber("recordedInstructions", judged.Original.End.InstructionCount);
        json.WriteNumber("inputCount", judged.Input.Count);
        json.WriteNumber("givenInputCount", judged.Input.GivenCount);
        json.WriteObjects("expectations", judged.Results, one =>
        {
            json.WriteString("expectation", one.Expectation.Source);
            json.WriteBoolean("met", one.IsMet);
            json.WriteString("detail", one.Detail);
            if (one.At is { } at) json.WritePosition("position", at);
        });
    });
}
