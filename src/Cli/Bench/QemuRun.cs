using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;

namespace Cli.Bench;

/// <summary>The same guest in QEMU's own emulator (TCG, one thread), to have something to compare with on the same host.</summary>
internal static class QemuRun
{
    private const string Program = "qemu-system-x86_64";

    public static bool IsThere => FindProgram() is not null;

    /// <summary>Real time from start to the guest's end; null when it did not end in time.</summary>
    /// <param name="kernel">Path of the kernel.</param>
    /// <param name="more">Further arguments: -initrd, -append, -smp.</param>
    /// <param name="limit">Killed after that.</param>
    /// <param name="record">It counts instructions and records to this file, or replays from it; null: neither.</param>
    public static TimeSpan? Run(string kernel, IEnumerable<string> more, TimeSpan limit, (string Mode, string File)? record = null)
    {
        var start = new ProcessStartInfo(FindProgram()!) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in (string[])["-accel", "tcg,thread=single", "-cpu", "max", "-m", "256M", "-display", "none", "-monitor", "none", "-serial", "null",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", kernel]) start.ArgumentList.Add(argument);
        if (record is var (mode, file))
            foreach (string argument in (string[])["-icount", $"shift=3,sleep=off,rr={mode},rrfile={file}", "-net", "none"]) start.ArgumentList.Add(argument);
        foreach (string argument in more) start.ArgumentList.Add(argument);
        var watch = Stopwatch.StartNew();
        using Process process = Process.Start(start) ?? throw CommandException.Failed($"{Program} cannot be started");
        process.StandardInput.Close();
        bool ended = process.WaitForExit(limit);
        if (!ended) process.Kill();
        process.WaitForExit();
        return ended ? watch.Elapsed : null;
    }

    private static string? FindProgram()
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            if (folder.Length > 0 && File.Exists(Path.Combine(folder, Program))) return Path.Combine(folder, Program);
        return null;
    }
}
