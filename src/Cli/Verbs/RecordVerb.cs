using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Cli.Sandboxing;
using Dap.Live;
using Replay.Packages;
using Replay.Recording;
using Vmm.Cpu;
using Vmm.Platform;

namespace Cli.Verbs;

/// <summary><c>ttvm record -o FILE (--kernel F | --disk F | --bios F) ...</c></summary>
internal static class RecordVerb
{
    private const string Description =
        "Runs a machine and records it: a kernel (Linux bzImage, Multiboot 1 or 2, PVH or plain ELF), a disk with a boot sector, or a BIOS. What the guest prints "
        + "appears on standard output, the summary on standard error. Ctrl-C stops and finishes the recording. While it runs, FILE.partial beside it "
        + "is all that a crash leaves; `ttvm recover` makes a recording of that.";

    private const string Examples = """
        When it ends (--until):
          exit        when the guest powers off, resets, or writes its debug-exit port (0xf4)   [default]
          text:S      as soon as a console has printed S, or at the guest's end
          count:N     after N instructions

        Exit code: 0 when the recording is complete, whatever code the guest wrote to its debug-exit port; 1 when the guest triple-faulted, met an
        instruction that ttvm does not have, or ended without printing the text: the recording is complete in these cases too, and the
        position to look at is printed.

        Input (--input): a script file, one command a line, or - for the keyboard (or whatever is piped in), to the first serial port:
          expect TEXT     wait until the first serial port has printed TEXT
          send TEXT       send it; \n \r \t \\ \xHH are escapes
          wait N          let N instructions pass
          key HH ...      scan codes (set 2) from the keyboard
          nmi, powerbutton

        Only the last part (--ring): what lies too far back is dropped while it runs, so that the directory does not grow. At least the last two checkpoints stay, with all that the
        guest has in memory there; while the directory is written anew, it takes twice as much.
        Only what matters (--tail-on): the recording ends when it happens, and is removed if it does not:
          panic       Linux says "Kernel panic", or the guest triple-faults
          text:S      a console prints S

        Examples:
          ttvm record -o demo.ttvm --kernel guests/prebuilt/demo64.elf --cpus 4 --chaos 7
          ttvm record -o race.ttvm --kernel mcs-broken.elf --cpus 4 --schedule explored/seed-3.schedule
          ttvm record -o boot.ttvm --kernel vmlinuz --initrd initramfs.cpio.gz --append "console=ttyS0" --cpus 2 --memory 256M
          ttvm record -o shell.ttvm --kernel vmlinuz --initrd initramfs.cpio.gz --append "console=ttyS0 ttvm.shell" --input -
          ttvm record -o live.ttvm --kernel vmlinuz --initrd initramfs.cpio.gz --append "console=ttyS0 ttvm.shell" --input - --dap 4711
          ttvm record -o panic.ttvm --kernel vmlinuz --initrd initramfs.cpio.gz --append "console=ttyS0" --ring 64M --tail-on panic
          ttvm record -o disk.ttvm --bios bios-256k.bin --disk disk.img --until "text:login:"
        """;

    private sealed record Options
    {
        public Option<string> Output { get; } = new("--output", "-o") { Description = "The recording to write, by convention NAME.ttvm", HelpName = "FILE", Required = true };
        public Option<string?> Kernel { get; } = new("--kernel") { Description = "Kernel to boot", HelpName = "FILE" };
        public Option<string?> Initrd { get; } = new("--initrd") { Description = "Its initial RAM disk, or Multiboot module", HelpName = "FILE" };
        public Option<string> Append { get; } = new("--append") { Description = "Its command line", HelpName = "TEXT", DefaultValueFactory = static _ => "" };
        public Option<string[]> Disk { get; } = new("--disk")
        {
            Description = "Disk image (up to 4 times); it is never written to. Without --kernel and --bios its boot sector is started", HelpName = "FILE",
        };

        public Option<string?> Bios { get; } = new("--bios") { Description = "ROM image to start at the reset vector, such as SeaBIOS", HelpName = "FILE" };
        public Option<string> DiskInterface { get; } = new("--disk-interface")
        {
            Description = "How the guest sees its disks: ata or virtio", HelpName = "ata|virtio", DefaultValueFactory = static _ => "ata",
        };

        public Option<int> Cpus { get; } = new("--cpus") { Description = "Number of vCPUs, 1 to 8", HelpName = "N", DefaultValueFactory = static _ => 1 };
        public Option<string> Memory { get; } = new("--memory") { Description = "Size of memory", HelpName = "SIZE", DefaultValueFactory = static _ => MachineSetup.DefaultMemory };
        public Option<string> Clock { get; } = new("--clock")
        {
            Description = "virtual: guest time is a function of instructions, idle time is skipped; host: it follows real time, which is logged",
            HelpName = "virtual|host", DefaultValueFactory = static _ => "virtual",
        };

        public Option<ulong?> Chaos { get; } = new("--chaos") { Description = "Vary whose turn it is and for how long, from this seed, to shake out races", HelpName = "SEED" };
        public Option<string?> Schedule { get; } = new("--schedule")
        {
            Description = "Force the switches between vCPUs that this file lists, as `ttvm explore` writes it", HelpName = "FILE",
        };

        public Option<string?> Input { get; } = new("--input") { Description = "Script of inputs, or - for the keyboard", HelpName = "SCRIPT|-" };
        public Option<string> Until { get; } = new("--until") { Description = "When to stop: exit, text:S or count:N", HelpName = "WHEN", DefaultValueFactory = static _ => "exit" };
        public Option<string?> Checkpoints { get; } = new("--checkpoint-interval") { Description = "Instructions between checkpoints, by default 32,000,000", HelpName = "N" };
        public Option<int?> Dap { get; } = new("--dap")
        {
            Description = "Let debuggers such as VS Code attach while it runs: the Debug Adapter Protocol at this port of the loopback interface; 0: any that is free", HelpName = "PORT",
        };

        public Option<string?> Ring { get; } = new("--ring") { Description = "Keep only the last part, about so many bytes of checkpoints, pages and log", HelpName = "SIZE" };
        public Option<string?> TailOn { get; } = new("--tail-on") { Description = "Keep the recording only if this happens, and end it there: panic or text:S", HelpName = "WHEN" };
        public Option<bool> Force { get; } = SharedOptions.Force();
        public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Do not show what the guest prints" };
        public Option<bool> Json { get; } = new("--json") { Description = "Print the summary as JSON on standard output; implies --quiet" };
    }

    public static VerbCommand Create(CommandContext context)
    {
        var o = new Options();
        o.Clock.AcceptOnlyFromAmong("virtual", "host");
        o.DiskInterface.AcceptOnlyFromAmong("ata", "virtio");
        var verb = new VerbCommand("record", Description, Examples)
        {
            o.Output, o.Kernel, o.Initrd, o.Append, o.Disk, o.Bios, o.DiskInterface, o.Cpus, o.Memory, o.Clock, o.Chaos, o.Schedule, o.Input, o.Until, o.Checkpoints, o.Dap, o.Ring, o.TailOn,
            o.Force, o.Quiet, o.Json,
        };
        return verb.Confined(Confinement.None).Does(parsed => Record(context, o, parsed));
    }

    private static int Record(CommandContext context, Options o, ParseResult parsed)
    {
        string path = parsed.GetValue(o.Output)!;
        bool force = parsed.GetValue(o.Force);
        (string? text, ulong count) = ParseUntil(parsed.GetValue(o.Until)!);
        long? ring = parsed.GetValue(o.Ring) is { } size ? ParseRing(size) : null;
        var tail = TailCondition.Parse(parsed.GetValue(o.TailOn));
        if (tail is not null && text is not null) throw CommandException.Usage("--tail-on and --until text:S exclude each other: the recording ends where the tail's condition is met");
        CheckOutput(path, force);
        int? dapPort = parsed.GetValue(o.Dap);
        if (dapPort is not null)
        {
            if (dapPort is < 0 or > 65535) throw CommandException.Usage($"--dap: {dapPort} is not a port: use 0 to 65535");
            if (ring is not null || tail is not null) throw CommandException.Usage("--dap excludes --ring and --tail-on: who is attached visits the past");
            if (count != ulong.MaxValue) throw CommandException.Usage("--dap and --until count:N exclude each other: use exit or text:S");
        }
        MachineConfiguration configuration = Setup(o, parsed).Configure() with { Engine = context.Engine };
        bool json = parsed.GetValue(o.Json), quiet = json || parsed.GetValue(o.Quiet);
        using GuestConsole? console = quiet ? null : new GuestConsole(Console.OpenStandardOutput());
        // Whoever attaches may want to type.
        ILiveInput input = dapPort is not null && parsed.GetValue(o.Input) is null ? new InteractiveInput() : OpenInput(parsed.GetValue(o.Input));
        var options = new RecorderOptions
        {
            Path = path, Overwrite = force, RecordedFrom = CommandLine(parsed), Console = console, StopAtText = dapPort is null ? tail?.StopText ?? text : null,
            RingSizeBytes = ring, Loggers = context.Loggers,
        };
        if (parsed.GetValue(o.Checkpoints) is { } interval)
            options = options with { CheckpointInterval = Math.Max(10_000, NumberSyntax.ParseCount(interval, "--checkpoint-interval")) };

        LiveInput? live = dapPort is null ? null : new LiveInput(input);
        using var recorder = new Recorder(configuration, live ?? input, new HostServices(), options);
        var watch = Stopwatch.StartNew();
        RecorderStop stop = live is not null ? RunAttachable(recorder, live, dapPort!.Value, text, context)
            : quiet ? ProgressDisplay.Run("recording", progress => RunQuietly(recorder, count, progress, context))
            : recorder.Run(count, context.Cancellation);
        watch.Stop();
        console?.Flush();
        if (console is { IsAtLineStart: false }) context.Out.WriteLine();
        ProgressDisplay.Run("finishing the recording", progress =>
        {
            recorder.Finish(progress);
            return 0;
        });
        // A tail may have been met without the text that ends it.
        string? awaited = tail is null ? text : stop == RecorderStop.TextPrinted ? tail.StopText : null;
        var summary = new RecordingSummary(path, stop, awaited, recorder.Machine, watch.Elapsed, input as ScriptedInput);
        using RecordingFile recording = RecordingFile.Open(path, loggers: context.Loggers);
        if (tail is not null && !tail.WasMet(stop, recording))
        {
            File.Delete(path);
            context.Error.WriteLine($"ttvm: {tail.Description} did not happen in {Words.Count(recorder.Machine.InstructionCount)} instructions: nothing is kept");
            return ExitCode.Good;
        }
        if (json) summary.WriteJson(context.Out, recording);
        else summary.Write(context.Error, recording);
        return summary.ExitCode;
    }

    // The live recording takes the recorder over only as long as it runs: it is finished like any other.
    private static RecorderStop RunAttachable(Recorder recorder, LiveInput input, int port, string? text, CommandContext context)
    {
        var live = new LiveRecording(recorder);
        using (live.Recording)
            return new AttachableGuest(new LiveGuest(live, input), port, context).Run(text, context.Cancellation);
    }

    private static RecorderStop RunQuietly(Recorder recorder, ulong untilCount, ProgressDisplay progress, CommandContext context)
    {
        const ulong slice = 20_000_000;
        while (true)
        {
            ulong now = recorder.Machine.InstructionCount;
            progress.Report(untilCount == ulong.MaxValue ? double.NaN : (double)now / Math.Max(1, untilCount));
            ulong next = untilCount - now > slice ? now + slice : untilCount;
            RecorderStop stop = recorder.Run(next, context.Cancellation);
            if (stop != RecorderStop.CountReached || next == untilCount) return stop;
        }
    }

    private static (string? Text, ulong Count) ParseUntil(string until)
    {
        if (until == "exit") return (null, ulong.MaxValue);
        if (until.StartsWith("text:", StringComparison.Ordinal) && until.Length > 5) return (until[5..], ulong.MaxValue);
        if (until.StartsWith("count:", StringComparison.Ordinal)) return (null, NumberSyntax.ParseCount(until[6..], "--until count"));
        throw CommandException.Usage($"--until: '{until}' is not exit, text:S or count:N");
    }

    private static long ParseRing(string size) => MachineSetup.TryParseSize(size, out ulong value) && value is > 0 and <= long.MaxValue ? (long)value
        : throw CommandException.Usage($"--ring: '{size}' is not a size: write 64M or 1G");

    private static void CheckOutput(string path, bool force)
    {
        if (Directory.Exists(path)) throw CommandException.Usage($"{path} is a directory: name a file, such as {path.TrimEnd('/')}/boot.ttvm");
        string? folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (folder is not null && !Directory.Exists(folder)) throw CommandException.BadFile($"the directory of {path} does not exist: make it first");
        if (force) return;
        CommandException.RequireFree(path, force: false);
        if (Directory.Exists(path + ".partial"))
        {
            throw CommandException.Usage($"{path}.partial exists already, a recording under way or one that was not finished: recover it with "
                + $"`ttvm recover {path}.partial`, or add --force");
        }
    }

    private static MachineSetup Setup(Options o, ParseResult parsed) => new()
    {
        Kernel = parsed.GetValue(o.Kernel), Initrd = parsed.GetValue(o.Initrd), Bios = parsed.GetValue(o.Bios), Disks = parsed.GetValue(o.Disk) ?? [],
        DiskInterface = parsed.GetValue(o.DiskInterface) == "virtio" ? DiskInterface.Virtio : DiskInterface.Ata,
        CpuCount = parsed.GetValue(o.Cpus), Memory = parsed.GetValue(o.Memory)!, CommandLine = parsed.GetValue(o.Append)!,
        Clock = parsed.GetValue(o.Clock) == "host" ? ClockKind.Host : ClockKind.Virtual, ChaosSeed = parsed.GetValue(o.Chaos),
        Schedule = parsed.GetValue(o.Schedule), NameOf = static option => $"--{option}",
    };

    private static ILiveInput OpenInput(string? source)
    {
        if (source is null) return new NoInput();
        if (source == "-") return KeyboardFeed.Start();
        if (!File.Exists(source)) throw CommandException.BadFile($"{source} does not exist: there is no such input script");
        return ScriptedInput.Parse(File.ReadAllText(source), source);
    }

    private static string CommandLine(ParseResult parsed)
    {
        var words = new List<string> { "ttvm" };
        foreach (System.CommandLine.Parsing.Token token in parsed.Tokens)
        {
            bool plain = token.Value.Length > 0;
            foreach (char c in token.Value) plain &= char.IsAsciiLetterOrDigit(c) || "-_./:=,+%@".Contains(c, StringComparison.Ordinal);
            words.Add(plain ? token.Value : $"'{token.Value.Replace("'", "'\\''", StringComparison.Ordinal)}'");
        }
        return string.Join(' ', words);
    }
}
