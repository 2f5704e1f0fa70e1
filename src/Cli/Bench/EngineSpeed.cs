using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using Cli.Hosting;
using Cli.Presentation;
using Replay.Packages;
using Replay.Recording;
using Vmm.Platform;
using Vmm.Translation;

namespace Cli.Bench;

/// <summary>
/// One guest from its start to power-off by each of our engines, recorded and replayed, and beside them QEMU's translator, its recording and its replay: the same work in one
/// run of the bench, the medians of several rounds. What recording costs, and how replay compares, are medians of the rounds' own ratios: neighbours in time compare best.
/// </summary>
internal sealed class EngineSpeed(string name, MachineConfiguration configuration, string folder, int rounds, CancellationToken cancellation)
{
    /// <summary>How often the recorded run and the other take turns.</summary>
    private const int SlicesOfRun = 30;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <param name="report">Takes the rows.</param>
    /// <param name="kernel">Path of the kernel, for QEMU; null: QEMU is not run.</param>
    /// <param name="more">QEMU's further arguments.</param>
    public void Run(BenchReport report, string? kernel, IReadOnlyList<string> more)
    {
        string path = Path.Combine(folder, "engines.ttvm"), log = Path.Combine(folder, "qemu.rr");
        List<TimeSpan> plain = [], recorded = [], replayed = [], tcg = [], rrRecorded = [], rrReplayed = [];
        (ulong count, TimeSpan interpreted) = UnrecordedRun.Run(configuration with { Engine = EngineKind.Interpreter }, ulong.MaxValue, cancellation);
        TranslationCounters counters = new();
        TimeSpan translation = TimeSpan.Zero;
        // One after the other in each round, so that what else the host does meets all of them.
        for (int round = 0; round < rounds; round++)
        {
            (TimeSpan unrecordedTime, TimeSpan recordedTime) = SideBySide.Run(configuration, path, count / SlicesOfRun, cancellation);
            plain.Add(unrecordedTime);
            recorded.Add(recordedTime);
            using (RecordingFile recording = RecordingFile.Open(path, engine: configuration.Engine))
            {
                replayed.Add(TimedReplay.Run(recording, cancellation, machine =>
                {
                    counters = machine.TranslationCounters ?? counters;
                    translation = TimeOfTranslation(machine, counters);
                }));
            }
            if (kernel is null) continue;
            Add(tcg, QemuRun.Run(kernel, more, s_limit)?.Real);
            // Its recording sleeps while the guest is idle, ours does not: what it computes is compared.
            Add(rrRecorded, QemuRun.Run(kernel, more, s_limit, ("record", log))?.Processor);
            Add(rrReplayed, QemuRun.Run(kernel, more, s_limit, ("replay", log))?.Processor);
        }
        TimeSpan run = BenchReport.Median(plain), record = BenchReport.Median(recorded), replay = BenchReport.Median(replayed);
        report.Add($"{name}: interpreter, not recorded", $"{Words.Duration(interpreted)}, {Words.Rate(count, interpreted)}");
        report.Add($"{name}: translator, not recorded", $"{Words.Duration(run)}, {Words.Rate(count, run)} ({interpreted / run:F1} times as fast as the interpreter)");
        report.Add($"{name}: translator, recorded", $"{Words.Duration(record)} ({100 * (MedianRatio(recorded, plain) - 1):F1} % more time)", "at most 5 % more");
        report.Add($"{name}: translator, replayed", $"{Words.Duration(replay)} ({MedianRatio(recorded, replayed):F2} times as fast as recording)", "not slower than recording");
        report.Add($"{name}: translated",
            $"{Words.Count((ulong)counters.Instructions)} instructions in {Words.Count((ulong)counters.Blocks)} blocks, {Words.Size(counters.CodeBytes)} of code", "at most 128 MiB");
        report.Add($"{name}: translation itself", $"{Words.Duration(translation)} ({100 * (translation / run):F1} % of the run)", "at most 3 %");
        if (tcg.Count == 0) return;
        report.Add($"{name}: QEMU TCG", $"{Words.Duration(BenchReport.Median(tcg))} (ttvm unrecorded is {BenchReport.Median(tcg) / run:F2} times as fast)");
        if (rrRecorded.Count > 0)
        {
            TimeSpan theirs = BenchReport.Median(rrRecorded);
            report.Add($"{name}: QEMU rr=record", $"{Words.Duration(theirs)} of processor time (ttvm: {theirs / record:F2} times as fast)", "at least 2 times");
        }
        if (rrReplayed.Count > 0)
        {
            TimeSpan theirs = BenchReport.Median(rrReplayed);
            report.Add($"{name}: QEMU rr=replay", $"{Words.Duration(theirs)} of processor time (ttvm: {theirs / replay:F2} times as fast)", "at least 3 times");
        }
    }

    private static TimeSpan TimeOfTranslation(Machine machine, TranslationCounters counters)
    {
        // What is still there is made again, which is most of it; the compiler knows its way by now.
        var watch = Stopwatch.StartNew();
        int again = machine.TranslateAgain();
        return watch.Elapsed * (counters.Blocks / Math.Max(1.0, again));
    }

    /// <summary>Of the ratios of each round.</summary>
    private static double MedianRatio(List<TimeSpan> of, List<TimeSpan> to)
    {
        double[] ratios = [.. of.Zip(to, static (a, b) => a / b)];
        Array.Sort(ratios);
        return ratios[ratios.Length / 2];
    }

    private static void Add(List<TimeSpan> times, TimeSpan? time)
    {
        if (time is { } taken) times.Add(taken);
    }
}
