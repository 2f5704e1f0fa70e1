using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Bench;
using Cli.Demo;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Cli.Sandboxing;
using Replay.Recording;
using Vmm.Platform;

namespace Cli.Verbs;

/// <summary><c>ttvm bench</c></summary>
internal static class BenchVerb
{
    private const string Append = "console=ttyS0 panic=-1", AppendWork = Append + " rdinit=/long";

    private sealed record Options
    {
        public Option<string?> Kernel { get; } = new("--kernel") { Description = "A Linux kernel to boot; by default Debian's, if guests/fetch-debian.sh has fetched it", HelpName = "FILE" };
        public Option<string?> Initrd { get; } = new("--initrd") { Description = "Its initial RAM disk, which must power off", HelpName = "FILE" };
        public Option<string?> Output { get; } = new("--output", "-o") { Description = "Write the table to this file as well", HelpName = "FILE" };
        public Option<string?> Only { get; } = new("--only")
        {
            Description = "back: only going back in a --recording; dap: only the demo kernel and what an editor waits for; engine: a Linux boot by our engines and by QEMU's, recorded and "
                + "replayed; locks: only what locks cost as vCPUs are added; programs: small programs in a guest and on the host itself; symbols: only look-ups in --symbols FILE",
            HelpName = "back|dap|engine|locks|programs|symbols",
        };

        public Option<string> Guests { get; } = new("--guests")
        {
            Description = "For locks and programs: where `make -C guests` has put the guests", HelpName = "DIR", DefaultValueFactory = static _ => "artifacts/guests",
        };

        public Option<string?> Figures { get; } = new("--figures") { Description = "For locks: draw locks.svg and write locks.csv here", HelpName = "DIR" };
        public Option<string?> Symbols { get; } = new("--symbols") { Description = "For symbols: an ELF file with debug information", HelpName = "FILE" };
        public Option<string?> Recording { get; } = new("--recording") { Description = "The recording for --only back", HelpName = "FILE" };
        public Option<bool> Quick { get; } = new("--quick") { Description = "A tenth of the work, and no Linux" };
        public Option<bool> NoQemu { get; } = new("--no-qemu") { Description = "Do not run QEMU beside it" };
    }

    public static VerbCommand Create(CommandContext context)
    {
        var o = new Options();
        o.Only.AcceptOnlyFromAmong("back", "dap", "engine", "locks", "programs", "symbols");
        var verb = new VerbCommand("bench",
            "Measures speed and size: integer loops, a small SMP kernel and a Linux boot, without and with recording, checkpoints, stepping back, what an editor waits "
            + "for; and QEMU beside it "
            + "where it is installed. Prints a table in Markdown. Run it on a quiet machine.", """
            Examples:
              ttvm bench
              ttvm bench --quick
              ttvm bench --kernel vmlinuz --initrd initramfs.cpio.gz -o bench.md
              ttvm bench --only back --recording boot.ttvm
              ttvm bench --only engine
              ttvm bench --only locks --figures bench
              ttvm bench --only programs
              ttvm bench --only symbols --symbols vmlinux
            """) { o.Kernel, o.Initrd, o.Output, o.Only, o.Guests, o.Figures, o.Symbols, o.Recording, o.Quick, o.NoQemu };
        return verb.Confined(Confinement.None).Does(parsed =>
        {
            var report = new BenchReport();
            switch (parsed.GetValue(o.Only))
            {
                case "locks":
                    Say(context, "locks");
                    new LockTraffic(parsed.GetValue(o.Guests)!, context.Engine, context.Cancellation).Run(report, parsed.GetValue(o.Figures));
                    break;
                case "back":
                    MeasureGoingBack(context, report, parsed.GetValue(o.Recording));
                    break;
                case "programs":
                    MeasurePrograms(context, report, o, parsed);
                    break;
                default:
                    MeasureInFolder(context, report, o, parsed);
                    report.Note($"{Environment.ProcessorCount} processors, .NET {Environment.Version}");
                    break;
            }
            Finish(context, report, parsed.GetValue(o.Output));
            return ExitCode.Good;
        });
    }

    /// <summary>What writes recordings, which are gone afterwards.</summary>
    private static void MeasureInFolder(CommandContext context, BenchReport report, Options o, ParseResult parsed)
    {
        string folder = Directory.CreateTempSubdirectory("ttvm-bench-").FullName;
        try
        {
            if (parsed.GetValue(o.Only) == "engine") MeasureEngine(context, report, folder, o, parsed);
            else if (parsed.GetValue(o.Only) == "symbols") MeasureSymbols(context, report, folder, parsed.GetValue(o.Symbols));
            else MeasureMachines(context, report, folder, o, parsed);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void MeasureGoingBack(CommandContext context, BenchReport report, string? recording)
    {
        if (!File.Exists(recording)) throw CommandException.Usage(recording is null ? "--only back: --recording FILE says in which" : $"--recording: {recording} does not exist");
        Say(context, "going back");
        string name = Path.GetFileName(recording);
        new StepBackLatency(name, recording, context.Engine, 200, context.Cancellation).Run(report);
        new ReverseScanSpeed(name, recording, context.Engine, context.Cancellation).Run(report);
    }

    private static void MeasurePrograms(CommandContext context, BenchReport report, Options o, ParseResult parsed)
    {
        bool quick = parsed.GetValue(o.Quick), qemu = !parsed.GetValue(o.NoQemu) && QemuRun.IsThere;
        new SpeedGuests(parsed.GetValue(o.Guests)!, context.Engine, quick ? 5 : 3, quick, qemu, context.Cancellation).Run(report, what => Say(context, what));
    }

    private static void MeasureSymbols(CommandContext context, BenchReport report, string folder, string? path)
    {
        if (!File.Exists(path)) throw CommandException.Usage(path is null ? "--only symbols: --symbols FILE says which" : $"--symbols: {path} does not exist");
        Say(context, $"look-ups in {Path.GetFileName(path)}");
        new SymbolLookups(path, folder, context.Cancellation).Run(report);
    }

    private static void MeasureMachines(CommandContext context, BenchReport report, string folder, Options o, ParseResult parsed)
    {
        bool quick = parsed.GetValue(o.Quick), qemu = !parsed.GetValue(o.NoQemu) && QemuRun.IsThere;
        if (parsed.GetValue(o.Only) is null)
        {
            Say(context, "integer loops");
            new IntegerLoops(quick ? 2_000_000U : 30_000_000U, context.Engine, qemu, context.Cancellation).Run(report);
        }
        MeasureDemo(context, report, folder, quick);
        if (!quick) MeasureLinux(context, report, folder, parsed.GetValue(o.Kernel), parsed.GetValue(o.Initrd), qemu);
        if (!qemu) report.Note("QEMU was not run: it is not installed (apt-get install qemu-system-x86), or --no-qemu was given");
    }

    private static void Finish(CommandContext context, BenchReport report, string? path)
    {
        report.Write(context.Out);
        if (path is null) return;
        using var file = new StreamWriter(path);
        report.Write(file);
    }

    private static void MeasureDemo(CommandContext context, BenchReport report, string folder, bool quick)
    {
        const string name = "demo kernel, 4 vCPUs";
        Say(context, name);
        string path = Path.Combine(folder, "demo.ttvm");
        var configuration = new MachineConfiguration
        {
            Engine = context.Engine, CpuCount = 4, MemorySizeBytes = 64UL << 20, CommandLine = quick ? "rounds=5000 lock=xchg" : "rounds=20000 think=1000 lock=xchg",
            Images = [new MachineImage("kernel", "demo64.elf", DemoKernel.Load().Content)],
        };
        new RecordingCost(name, configuration, ulong.MaxValue, path, context.Cancellation).Run(report, "", "");
        new StepBackLatency(name, path, context.Engine, quick ? 20 : 100, context.Cancellation).Run(report);
        new DapLatency($"{name}, debug adapter", path, quick ? 10 : 100, context.Cancellation).Run(report);
    }

    private static void MeasureLinux(CommandContext context, BenchReport report, string folder, string? kernel, string? initrd, bool qemu)
    {
        const string name = "Linux boot";
        if (FindLinux(context, report, ref kernel, ref initrd) is not { } configuration) return;
        Say(context, name);
        string path = Path.Combine(folder, "linux.ttvm");
        TimeSpan ours = new RecordingCost(name, configuration, ulong.MaxValue, path, context.Cancellation).Run(report, "100 MIPS", "at most 1");
        new StepBackLatency(name, path, context.Engine, 100, context.Cancellation).Run(report);
        new DapLatency($"{name}, debug adapter", path, 50, context.Cancellation).Run(report);
        if (!qemu) return;
        Say(context, "Linux boot in QEMU");
        IEnumerable<string> more = ["-initrd", initrd!, "-append", Append];
        if (QemuRun.Run(kernel!, more, TimeSpan.FromMinutes(5))?.Real is { } theirs)
            report.Add($"{name}, QEMU: real time to power-off", $"{Words.Duration(theirs)} ({ours / theirs:F1} times as fast as ttvm, not recorded: {Words.Duration(ours)})");
        else report.Note("Linux did not power off in QEMU within 5 minutes");
    }

    private static void MeasureEngine(CommandContext context, BenchReport report, string folder, Options o, ParseResult parsed)
    {
        string? kernel = parsed.GetValue(o.Kernel), initrd = parsed.GetValue(o.Initrd);
        if (FindLinux(context, report, ref kernel, ref initrd) is not { } configuration) return;
        bool isQuick = parsed.GetValue(o.Quick);
        string? forQemu = !parsed.GetValue(o.NoQemu) && QemuRun.IsThere ? kernel : null;
        Say(context, "Linux boot by all engines");
        new EngineSpeed("Linux boot", configuration, folder, isQuick ? 1 : 5, context.Cancellation).Run(report, forQemu, ["-initrd", initrd!, "-append", Append]);
        if (isQuick) return;
        Say(context, "Linux at work by all engines");
        new EngineSpeed("Linux at work", configuration with { CommandLine = AppendWork }, folder, 3, context.Cancellation)
            .Run(report, forQemu, ["-initrd", initrd!, "-append", AppendWork]);
    }

    /// <summary>The Linux that is booted; null: it is not there, and the report says so.</summary>
    private static MachineConfiguration? FindLinux(CommandContext context, BenchReport report, ref string? kernel, ref string? initrd)
    {
        kernel ??= "artifacts/debian/linux-cloud-amd64/vmlinuz";
        initrd ??= "artifacts/debian/initramfs.cpio.gz";
        if (File.Exists(kernel) && File.Exists(initrd))
        {
            return new MachineConfiguration
            {
                Engine = context.Engine, CommandLine = Append, Images = [MachineSetup.ReadImage("kernel", kernel), MachineSetup.ReadImage("initrd", initrd)],
            };
        }
        report.Note($"no Linux was booted: {(File.Exists(kernel) ? initrd : kernel)} does not exist; guests/fetch-debian.sh and guests/make-initramfs.sh make both");
        return null;
    }

    private static void Say(CommandContext context, string what)
    {
        if (ProgressDisplay.IsVisible) context.Error.WriteLine($"ttvm: measuring: {what}");
    }
}
