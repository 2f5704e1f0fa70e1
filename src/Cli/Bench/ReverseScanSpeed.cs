using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Cli.Presentation;
using Replay.Packages;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;

namespace Cli.Bench;

/// <summary>
/// Reverse-continue from the end of a recording to a breakpoint that nobody reaches, which looks at all of it, beside one replay of it; and beside as many replays at the same
/// time as there are processors, which is what these can do at the most: two threads of one core are not two cores.
/// </summary>
internal sealed class ReverseScanSpeed(string name, string path, EngineKind engine, CancellationToken cancellation)
{
    /// <summary>Not canonical: no instruction lies there.</summary>
    private const ulong Nowhere = 0x1234_5678_9ABC_DEF0;

    public void Run(BenchReport report)
    {
        using RecordingFile recording = RecordingFile.Open(path, engine: engine);
        int cores = Environment.ProcessorCount;
        TimeSpan replay = TimedReplay.Run(recording, cancellation), together = ReplayTogether(cores), one = Scan(recording, 1), all = Scan(recording, 0);
        double possible = cores * (replay / together);
        report.Add($"{name}: replay", $"{Words.Duration(replay)}, {Words.Rate(recording.InstructionCount, replay)}");
        report.Add($"{name}: {Words.Plural(cores, "replay")} at the same time", $"{Words.Duration(together)} (together {possible:F2} times as fast as one)");
        report.Add($"{name}: reverse-continue over all of it, one core", $"{Words.Duration(one)} ({replay / one:F2} times as fast as replay)");
        report.Add($"{name}: reverse-continue over all of it, {Words.Plural(cores, "core")}",
            $"{Words.Duration(all)} ({replay / all:F2} times as fast as replay, {replay / all / possible:F2} of what the processors can do)", "at replay speed times cores");
    }

    private TimeSpan ReplayTogether(int count)
    {
        var opened = new List<RecordingFile>();
        try
        {
            for (int i = 0; i < count; i++) opened.Add(RecordingFile.Open(path, engine: engine));
            var watch = Stopwatch.StartNew();
            Parallel.ForEach(opened, new ParallelOptions { MaxDegreeOfParallelism = count, CancellationToken = cancellation }, recording => _ = TimedReplay.Run(recording, cancellation));
            return watch.Elapsed;
        }
        finally
        {
            foreach (RecordingFile recording in opened) recording.Dispose();
        }
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
