using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Cli.Hosting;
using Cli.Logging;
using Cli.Presentation;
using Microsoft.Extensions.Logging;
using Replay.Packages;
using Replay.Replaying;
using Replay.Verification;
using Vmm.Time;

namespace Cli.Ci;

/// <summary>Verifies recordings side by side and tells of each as soon as it is done. What is told comes from the verification's threads, one at a time.</summary>
internal sealed class VerificationRun(CommandContext context, IReadOnlyList<string> paths, SignatureKey? key, bool isJson)
{
    private readonly VerificationReport?[] _reports = new VerificationReport?[paths.Count];
    private readonly TimeSpan[] _started = new TimeSpan[paths.Count], _times = new TimeSpan[paths.Count];
    private readonly ILogger _log = context.Loggers.CreateLogger(typeof(VerificationRun).FullName!);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly bool[] _isSignatureBad = new bool[paths.Count];
    // While a bar is drawn nothing else may be written to the terminal.
    private readonly List<Action> _waiting = [];

    /// <summary>Exit code of what has been done so far: the worst.</summary>
    public int ExitCode => Enumerable.Range(0, paths.Count).Max(CodeOf);

    /// <exception cref="OperationCanceledException">Ctrl-C; those that were done have been told of.</exception>
    public void Run(int jobs)
    {
        var open = new Func<RecordingFile>[paths.Count];
        for (int i = 0; i < open.Length; i++)
        {
            int number = i;
            open[i] = () => OpenChecked(number);
        }
        try
        {
            ProgressDisplay.Run(paths.Count == 1 ? $"verifying {paths[0]}" : $"verifying {paths.Count} recordings", progress =>
            {
                new VerificationBatch(open, number => _started[number] = _watch.Elapsed, Finish, context.Cancellation).Verify(jobs, progress);
                return true;
            });
        }
        finally
        {
            foreach (Action tell in _waiting) tell();
        }
    }

    /// <summary>How many were good, when there is more than one.</summary>
    public void WriteSummary()
    {
        if (isJson || paths.Count <= 1) return;
        int good = _reports.Count(static report => report is { IsGood: true });
        ulong instructions = 0;
        foreach (VerificationReport? report in _reports) instructions += report?.ReplayedInstructions ?? 0;
        string bad = good == paths.Count ? "all good" : $"{good} good, {paths.Count - good} not";
        context.Out.WriteLine($"{Words.Plural(paths.Count, "recording")}: {bad}; {Words.Count(instructions)} instructions in {Words.Duration(_watch.Elapsed)}");
    }

    /// <summary>A test case for each recording; those that nobody came to are skipped.</summary>
    public IReadOnlyList<JUnitCase> Cases() => [.. paths.Select((path, i) => _reports[i] is { } report
        ? new JUnitCase(path, "ttvm.verify", CodeOf(i) switch { Cli.ExitCode.Good => JUnitResult.Good, Cli.ExitCode.BadFile => JUnitResult.Error, _ => JUnitResult.Failure },
            report.IsGood ? "" : Describe(path, report), _times[i], report.IsGood ? Describe(path, report) : "")
        : new JUnitCase(path, "ttvm.verify", JUnitResult.Skipped, "stopped before it was verified", TimeSpan.Zero))];

    private void Finish(int number, VerificationReport report)
    {
        string path = paths[number];
        if (report.FirstBad is { } bad) report = report with { Problem = $"{report.Problem} (first seen at {PlaceOf(path, bad)}; `ttvm bisect {path}` looks closer)" };
        _log.Verified(path, report.IsGood, report.ReplayedInstructions, report.DigestCount, report.InputCount);
        _reports[number] = report;
        _times[number] = _watch.Elapsed - _started[number];
        if (ProgressDisplay.IsVisible) _waiting.Add(() => Tell(number));
        else Tell(number);
    }

    private void Tell(int number)
    {
        VerificationReport report = _reports[number]!;
        if (isJson) WriteJson(paths[number], report, _times[number]);
        else if (report.IsGood) context.Out.WriteLine($"{paths[number]}: good. {Describe(paths[number], report)}, in {Words.Duration(_times[number])}");
        else context.Error.WriteLine($"ttvm: {Describe(paths[number], report)}");
    }

    private static string Describe(string path, VerificationReport report)
    {
        if (report.IsGood)
        {
            return $"Replayed {Words.Count(report.ReplayedInstructions)} instructions; "
                + $"{Words.Plural(report.DigestCount, "digest")} and {Words.Plural(report.InputCount, "input")} are as recorded"
                + (report.HoleCount == 0 ? "" : $"; {Words.Count(report.HoleCount)} {(report.HoleCount == 1 ? "stretch" : "stretches")} cannot be replayed, as the recording was redacted");
        }
        return report.FirstBad is null && report.Problem.Contains(path, StringComparison.Ordinal) ? report.Problem : $"{path} does not verify: {report.Problem}";
    }

    private void WriteJson(string path, VerificationReport report, TimeSpan time) => JsonText.WriteObject(context.Out, json =>
    {
        json.WriteString("file", path);
        json.WriteBoolean("good", report.IsGood);
        if (report.FirstBad is { } position) json.WritePosition("firstBad", position);
        else json.WriteNull("firstBad");
        json.WriteString("problem", report.Problem);
        json.WriteNumber("digestCount", report.DigestCount);
        json.WriteNumber("inputCount", report.InputCount);
        json.WriteNumber("replayedInstructions", report.ReplayedInstructions);
        json.WriteNumber("holeCount", report.HoleCount);
        json.WriteNumber("seconds", Math.Round(time.TotalSeconds, 3));
    });

    // One that is not as it was signed is not replayed.
    private RecordingFile OpenChecked(int number)
    {
        RecordingFile file = Open(paths[number]);
        if (key?.Check(file) is not { } problem) return file;
        file.Dispose();
        _isSignatureBad[number] = true;
        throw new RecordingFormatException(problem);
    }

    private RecordingFile Open(string path)
    {
        try
        {
            return OpenRecording.OpenFile(path, context);
        }
        catch (CommandException e)
        {
            throw new RecordingFormatException(e.Message);
        }
    }

    // "1234567, vCPU 2 at 00000000001012f3  mov eax, [rdx]": what replay is about to do there.
    private string PlaceOf(string path, Position bad)
    {
        using RecordingFile file = Open(path);
        using var replayer = new Replayer(file);
        try
        {
            replayer.RestartBefore(bad.EventOrdinal > 0 ? bad : new Position(bad.InstructionCount == 0 ? 0 : bad.InstructionCount - 1));
            replayer.RunTo(bad);
        }
        catch (Exception e) when (e is ReplayDivergenceException or RecordingFormatException)
        {
            // It stands where replay cannot go on, which is the place.
        }
        Vmm.Cpu.Vcpu vcpu = replayer.Machine.Vcpus[replayer.Machine.CurrentCpuIndex];
        return $"{bad}, vCPU {vcpu.Index} at 0x{vcpu.State.Rip:x}: {PlaceView.Next(replayer.Machine, vcpu)}";
    }

    // Those that nobody came to have failed.
    private int CodeOf(int number) => _reports[number] switch
    {
        { IsGood: true } => Cli.ExitCode.Good,
        { FirstBad: null } when !_isSignatureBad[number] => Cli.ExitCode.BadFile,
        _ => Cli.ExitCode.Failed,
    };
}
