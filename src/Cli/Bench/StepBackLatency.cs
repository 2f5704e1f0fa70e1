using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Time;

namespace Cli.Bench;

/// <summary>Steps back at random positions of a recording: the first one there from a timeline that has just been opened, and one after it.</summary>
internal sealed class StepBackLatency(string name, string path, int sampleCount, CancellationToken cancellation)
{
    public void Run(BenchReport report)
    {
        using RecordingFile recording = RecordingFile.Open(path);
        var cold = new List<double>();
        var repeated = new List<double>();
        // A fixed seed: the same places in the same recording every time.
        var random = new Random(1);
        for (int i = 0; i < sampleCount; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var position = new Position(recording.Start.InstructionCount + 1 + (ulong)(random.NextDouble() * (recording.InstructionCount - 1)));
            using var timeline = new Timeline(recording);
            var watch = Stopwatch.StartNew();
            timeline.Seek(position, null, cancellation);
            timeline.StepBack();
            cold.Add(watch.Elapsed.TotalMilliseconds);
            watch.Restart();
            timeline.StepBack();
            repeated.Add(watch.Elapsed.TotalMilliseconds);
        }
        report.Add($"{name}: go to a random position and step back, cold", RecordingCost.Percentiles(cold), "90 % within 250 ms");
        report.Add($"{name}: step back again", RecordingCost.Percentiles(repeated), "within 5 ms");
    }
}
