using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading;
using Cli.Presentation;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Bench;

/// <summary>
/// Small programs of <c>guests/speed</c>, each linked once as a kernel and once as a program of the host: how many times longer the guest takes than the host, and beside it QEMU's
/// translator. What all of them print is compared.
/// </summary>
/// <param name="guests">Where <c>make -C guests</c> has put them.</param>
/// <param name="engine">What executes them.</param>
/// <param name="rounds">Runs of each; the shortest counts: what else the host does only adds.</param>
/// <param name="tenth">A tenth of the work.</param>
/// <param name="besideQemu">QEMU runs them too.</param>
/// <param name="cancellation">Ends it.</param>
internal sealed class SpeedGuests(string guests, EngineKind engine, int rounds, bool tenth, bool besideQemu, CancellationToken cancellation)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    // Each count makes a few tenths of a second on the host.
    private static readonly (string Name, uint Work)[] s_programs =
    [
        ("trial", 500), ("sieve", 500), ("fib", 2500), ("calls", 1_200_000), ("chase", 12_000), ("states", 6000), ("sha256", 6000), ("core", 6000), ("matrix", 2500),
    ];

    private const string FloatingPoint = "matrix";

    public void Run(BenchReport report, Action<string> say)
    {
        var product = new Dictionary<bool, (double Ours, double Qemu, int Count)> { [false] = (1, 1, 0), [true] = (1, 1, 0) };
        foreach ((string name, uint work) in s_programs)
        {
            foreach (int bits in (int[])[64, 32])
            {
                say($"{name}, {bits} bits");
                (double ours, double? qemu) = Measure(report, $"{name}, {bits} bits", Path.Combine(guests, $"speed-{name}-{bits}"), tenth ? work / 10 : work, name == FloatingPoint);
                bool isFloating = name == FloatingPoint;
                (double a, double b, int count) = product[isFloating];
                product[isFloating] = (a * ours, b * (qemu ?? 1), count + 1);
            }
        }
        foreach ((bool isFloating, (double ours, double qemu, int count)) in product)
        {
            string what = isFloating ? "SSE floating point" : "integer programs, geometric mean";
            string beside = besideQemu ? $" (QEMU: {Math.Pow(qemu, 1.0 / count):F2})" : "";
            report.Add(what, $"{Math.Pow(ours, 1.0 / count):F2} times the host's time{beside}", "at most 2");
        }
    }

    private (double Ours, double? Qemu) Measure(BenchReport report, string what, string program, uint work, bool isFloating)
    {
        if (!File.Exists(program)) throw CommandException.Usage($"--guests: {program} is not there; `make -C guests` makes it");
        byte[] image = File.ReadAllBytes(program + ".elf");
        List<TimeSpan> native = [], ours = [], qemu = [];
        // The first run also compiles the engine.
        RunGuest(image, 1);
        for (int round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            (TimeSpan time, string result) = RunNative(program, work);
            native.Add(time);
            (time, string guest) = RunGuest(image, work);
            if (guest != result) throw CommandException.Failed($"{what}: the host says {result}, the guest {guest}");
            ours.Add(time);
            if (!besideQemu) continue;
            // What QEMU needs to start is no part of the work.
            if (TimeOfQemu(program, work) is { } whole && TimeOfQemu(program, 1) is { } start && whole > start) qemu.Add(whole - start);
        }
        double host = Shortest(native).TotalSeconds, own = Shortest(ours).TotalSeconds / host;
        double? theirs = qemu.Count == 0 ? null : Shortest(qemu).TotalSeconds / host;
        string beside = theirs is { } factor ? $" (QEMU: {factor:F2})" : "";
        report.Add(what, $"{own:F2} times the host's {Words.Duration(Shortest(native))}{beside}", isFloating ? "at most 2" : besideQemu ? "ahead of QEMU" : "");
        return (own, theirs);
    }

    private static TimeSpan Shortest(List<TimeSpan> times)
    {
        times.Sort();
        return times[0];
    }

    private static TimeSpan? TimeOfQemu(string program, uint work) => QemuRun.Run(program + ".elf", ["-append", $"{work}"], s_limit)?.Real;

    private static (TimeSpan Time, string Result) RunNative(string program, uint work)
    {
        var start = new ProcessStartInfo(program, [$"{work}"]) { RedirectStandardOutput = true };
        var watch = Stopwatch.StartNew();
        using Process process = Process.Start(start) ?? throw CommandException.Failed($"{program} cannot be started");
        string result = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return (watch.Elapsed, result);
    }

    private (TimeSpan Time, string Result) RunGuest(byte[] image, uint work)
    {
        var configuration = new MachineConfiguration
        {
            Engine = engine, MemorySizeBytes = 64UL << 20, CommandLine = $"{work}", Images = [new MachineImage("kernel", "speed", image)],
        };
        var printed = new Printed();
        (_, TimeSpan time) = UnrecordedRun.Run(configuration, ulong.MaxValue, cancellation, printed);
        return (time, printed.ToString());
    }

    /// <summary>What the guest says on its serial port.</summary>
    private sealed class Printed : IOutputSink
    {
        private readonly StringBuilder _text = new();

        public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) => _text.Append(Encoding.ASCII.GetString(data));

        public override string ToString() => _text.ToString().Trim();
    }
}
