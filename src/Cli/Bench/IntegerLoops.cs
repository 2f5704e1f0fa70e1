using System;
using System.IO;
using System.Threading;
using Cli.Presentation;
using Vmm.Platform;

namespace Cli.Bench;

/// <summary>Integer loops in 64-bit mode: the engine's speed with paging, exact counts and everything on.</summary>
internal sealed class IntegerLoops(uint iterations, EngineKind engine, bool besideQemu, CancellationToken cancellation)
{
    public void Run(BenchReport report)
    {
        UnrecordedRun.Run(Configure(LoopKernel.Build(LoopKind.Memory, 10_000)), ulong.MaxValue, cancellation);
        foreach (LoopKind kind in Enum.GetValues<LoopKind>())
        {
            string what = kind == LoopKind.Registers ? "integer loop in registers" : "integer loop with memory and calls";
            byte[] image = LoopKernel.Build(kind, iterations);
            (ulong count, TimeSpan time) = UnrecordedRun.Run(Configure(image), ulong.MaxValue, cancellation);
            report.Add(what, Words.Rate(count, time), "200 MIPS");
            if (besideQemu) MeasureQemu(report, what, kind, image, count, time);
        }
    }

    private MachineConfiguration Configure(byte[] image) =>
        new() { Engine = engine, MemorySizeBytes = 64UL << 20, Images = [new MachineImage("kernel", "loop", image)] };

    private static void MeasureQemu(BenchReport report, string what, LoopKind kind, byte[] image, ulong count, TimeSpan ours)
    {
        TimeSpan limit = TimeSpan.FromSeconds(30);
        if (TimeOf(LoopKernel.Build(kind, 1), limit) is not { } start || TimeOf(image, limit) is not { } whole) return;
        TimeSpan time = whole - start;
        if (time <= TimeSpan.Zero) return;
        report.Add($"{what}, QEMU", $"{Words.Rate(count, time)} ({ours / time:F1} times as fast as ttvm)");
    }

    /// <summary>The shortest of several runs: the first also reads QEMU from the disk, which would count as a faster loop when it is subtracted.</summary>
    private static TimeSpan? TimeOf(byte[] image, TimeSpan limit)
    {
        const int runCount = 4;
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, image);
            TimeSpan? shortest = null;
            for (int run = 0; run < runCount; run++)
            {
                if (QemuRun.Run(path, [], limit)?.Real is not { } time) return null;
                if (shortest is null || time < shortest) shortest = time;
            }
            return shortest;
        }
        finally
        {
            File.Delete(path);
        }
    }
}
