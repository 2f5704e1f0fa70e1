using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Bench;

/// <summary>Steps back at random positions of a recording: from a timeline that has just been opened, from one that has been elsewhere, and once more where it is.</summary>
internal sealed class StepBackLatency(string name, string path, EngineKind engine, int sampleCount, CancellationToken cancellation)
{
    public void Run(BenchReport report)
    {
        using RecordingFile recording = RecordingFile.Open(path, engine: engine);
        var cold = new List<double>();
        var elsewhere = new List<double>();
        var repeated = new List<double>();
        // A fixed seed: the same places in the same recording every time.
        var random = new Random(1);
        Position Anywhere() => new(recording.Start.InstructionCount + 1 + (ulong)(random.NextDouble() * (recording.InstructionCount - 1)));
        using var open = new Timeline(recording);
        for (int i = 0; i < sampleCount; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var timeline = new Timeline(recording);
            var watch = Stopwatch.StartNew();
            timeline.Seek(Anywhere(), null, cancellation);
            timeline.StepBack();
            cold.Add(watch.Elapsed.TotalMilliseconds);
            watch.Restart();
            timeline.StepBack();
            repeated.Add(watch.Elapsed.TotalMilliseconds);
            watch.Restart();
            open.Seek(Anywhere(), null, cancellation);
            open.StepBack();
            elsewhere.Add(watch.Elapsed.TotalMilliseconds);
        }
        report.Add($"{name}: go to a random position and step back, cold", RecordingCost.Percentiles(cold), "90 % within 50 ms");
        report.Add($"{name}: the same in a timeline that has been elsewhere", RecordingCost.Percentiles(elsewhere), "90 % within 50 ms");
        report.Add($"{name}: step back again", RecordingCost.Percentiles(repeated), "90 % within 1 ms");
    }
}
