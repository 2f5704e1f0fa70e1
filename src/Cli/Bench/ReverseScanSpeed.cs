using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Cli.Presentation;
using Replay.Packages;
using Replay.Queries;
using Replay.Replaying;
using Replay.Timelines;

namespace Cli.Bench;

/// <summary>Reverse-continue from the end of a recording to a breakpoint that nobody reaches, which looks at all of it, beside one replay of it.</summary>
internal sealed class ReverseScanSpeed(string name, string path, CancellationToken cancellation)
{
    /// <summary>Not canonical: no instruction lies there.</summary>
    private const ulong Nowhere = 0x1234_5678_9ABC_DEF0;

    public void Run(BenchReport report)
    {
        using RecordingFile recording = RecordingFile.Open(path);
        TimeSpan replay = Replay(recording), one = Scan(recording, 1), all = Scan(recording, 0);
        report.Add($"{name}: replay", $"{Words.Duration(replay)}, {Words.Rate(recording.InstructionCount, replay)}");
        report.Add($"{name}: reverse-continue over all of it, one core", $"{Words.Duration(one)} ({replay / one:F2} times as fast as replay)");
        report.Add($"{name}: reverse-continue over all of it, {Words.Plural(Environment.ProcessorCount, "core")}", $"{Words.Duration(all)} ({replay / all:F2} times as fast as replay)",
            "at replay speed times cores");
    }

    private TimeSpan Replay(RecordingFile recording)
    {
        var watch = Stopwatch.StartNew();
        using var replayer = new Replayer(recording);
        replayer.RunTo(recording.End, null, cancellation);
        return watch.Elapsed;
    }

    private TimeSpan Scan(RecordingFile recording, int parallelism)
    {
        using var timeline = new Timeline(recording, new TimelineOptions { MaxParallelism = parallelism });
        timeline.Seek(recording.End, null, cancellation);
        IReadOnlyCollection<StopCondition> conditions = [StopCondition.Breakpoint(Nowhere)];
        var watch = Stopwatch.StartNew();
        timeline.ReverseContinue(conditions, null, cancellation);
        return watch.Elapsed;
    }
}
