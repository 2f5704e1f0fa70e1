using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;

namespace Cli.Bench;

/// <summary>What a run of QEMU took.</summary>
/// <param name="Real">From start to end. While it records it also sleeps when the guest does.</param>
/// <param name="Processor">Of its threads.</param>
internal readonly record struct QemuTime(TimeSpan Real, TimeSpan Processor);

/// <summary>The same guest in QEMU's own emulator (TCG, one thread), to have something to compare with on the same host.</summary>
internal static class QemuRun
{
    private const string Program = "qemu-system-x86_64";

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    public static bool IsThere => FindProgram() is not null;

    /// <summary>Time from start to the guest's end; null when it did not end in time.</summary>
    /// <param name="kernel">Path of the kernel.</param>
    /// <param name="more">Further arguments: -initrd, -append, -smp.</param>
    /// <param name="limit">Killed after that.</param>
    /// <param name="record">It counts instructions and records to this file, or replays from it; null: neither.</param>
    public static QemuTime? Run(string kernel, IEnumerable<string> more, TimeSpan limit, (string Mode, string File)? record = null)
    {
        var start = new ProcessStartInfo(FindProgram()!) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in (string[])["-accel", "tcg,thread=single", "-cpu", "max", "-m", "256M", "-display", "none", "-monitor", "none", "-serial", "null",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", kernel]) start.ArgumentList.Add(argument);
        if (record is var (mode, file))
            foreach (string argument in (string[])["-icount", $"shift=3,rr={mode},rrfile={file}", "-net", "none"]) start.ArgumentList.Add(argument);
        foreach (string argument in more) start.ArgumentList.Add(argument);
        var watch = Stopwatch.StartNew();
        using Process process = Process.Start(start) ?? throw CommandException.Failed($"{Program} cannot be started");
        process.StandardInput.Close();
        bool ended;
        TimeSpan processor = TimeSpan.Zero;
        // Nobody can ask for the time of a process that has ended: the last look before counts.
        while (!(ended = process.WaitForExit(s_look)) && watch.Elapsed < limit) processor = process.TotalProcessorTime;
        if (!ended) process.Kill();
        process.WaitForExit();
        return ended ? new QemuTime(watch.Elapsed, processor) : null;
    }

    private static string? FindProgram()
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            if (folder.Length > 0 && File.Exists(Path.Combine(folder, Program))) return Path.Combine(folder, Program);
        return null;
    }
}
