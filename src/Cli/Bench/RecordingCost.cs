using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using Cli.Hosting;
using Cli.Presentation;
using Replay.Packages;
using Replay.Recording;
using Vmm.Platform;

namespace Cli.Bench;

/// <summary>A guest run without and with recording: speed, the ratio of both, the log's density, and how long checkpoints hold the guest up.</summary>
internal sealed class RecordingCost(string name, MachineConfiguration configuration, ulong maximum, string path, CancellationToken cancellation)
{
    private const ulong Interval = RecorderOptions.DefaultCheckpointInterval;

    /// <summary>Leaves the recording at its path; returns the real time of the run that was not recorded.</summary>
    public TimeSpan Run(BenchReport report, string speedTarget, string densityTarget)
    {
        // Once for the compiler: its time is not the guest's.
        UnrecordedRun.Run(configuration, Math.Min(maximum, Interval), cancellation);
        (ulong count, TimeSpan plain) = UnrecordedRun.Run(configuration, maximum, cancellation);
        report.Add($"{name}: speed, not recorded", $"{Words.Rate(count, plain)} over {Words.Count(count)} instructions", speedTarget);
        TimeSpan recorded = Record(out ulong recordedCount, out List<double> pauses);
        // Entropy and with it the path may differ between the two runs: rates, not times.
        double ratio = recorded.TotalSeconds * count / (plain.TotalSeconds * Math.Max(1, recordedCount));
        report.Add($"{name}: speed, recorded", $"{Words.Rate(recordedCount, recorded)}, {100 * (ratio - 1):F1} % more time", "at most 10 % more");
        using RecordingFile recording = RecordingFile.Open(path);
        report.Add($"{name}: log", $"{recording.Sizes.LogSizeBytes * 1000.0 / Math.Max(1, recordedCount):F3} bytes per 1,000 instructions", densityTarget);
        report.Add($"{name}: file", $"{Words.Size(recording.Sizes.FileSizeBytes)}, {Words.Plural(recording.Sizes.CheckpointCount, "checkpoint")}");
        if (pauses.Count > 0) report.Add($"{name}: pause for a checkpoint", Percentiles(pauses), "at most 20 ms");
        return plain;
    }

    public static string Percentiles(List<double> milliseconds)
    {
        milliseconds.Sort();
        double At(double fraction) => milliseconds[Math.Min(milliseconds.Count - 1, (int)(fraction * milliseconds.Count))];
        return $"median {At(0.5):F1} ms, 90 % within {At(0.9):F1} ms, longest {milliseconds[^1]:F1} ms (of {milliseconds.Count})";
    }

    private TimeSpan Record(out ulong count, out List<double> pauses)
    {
        pauses = [];
        var options = new RecorderOptions { Path = path, Overwrite = true, RecordedFrom = "ttvm bench", CheckpointInterval = Interval };
        using var recorder = new Recorder(configuration, new NoInput(), new HostServices(), options);
        var watch = Stopwatch.StartNew();
        var pause = new Stopwatch();
        // One instruction before each checkpoint, then that instruction with the checkpoint.
        for (ulong next = Interval; ; next += Interval)
        {
            if (recorder.Run(Math.Min(maximum, next - 1), cancellation) != RecorderStop.CountReached || recorder.Machine.InstructionCount >= maximum) break;
            pause.Restart();
            RecorderStop stop = recorder.Run(next, cancellation);
            if (stop != RecorderStop.CountReached) break;
            pauses.Add(pause.Elapsed.TotalMilliseconds);
        }
        watch.Stop();
        cancellation.ThrowIfCancellationRequested();
        count = recorder.Machine.InstructionCount;
        recorder.Finish();
        return watch.Elapsed;
    }
}
