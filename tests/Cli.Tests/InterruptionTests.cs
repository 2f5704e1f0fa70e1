using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Ctrl-C finishes a recording; kill -9 leaves one that can be recovered, and nothing that looks whole.</summary>
public sealed class InterruptionTests(DemoRecording demo)
{
    private const ulong MostInstructions = 10_000_000_000;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public void Ctrl_C_finishes_the_recording()
    {
        string path = demo.PathOf("interrupted.ttvm");
        using Process process = StartLongRun(path);
        HostTool.Run("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)], s_patience);
        Assert.True(process.WaitForExit(s_patience));
        Assert.Equal(0, process.ExitCode);
        Assert.False(Directory.Exists(path + ".partial"));
        Ttvm.Good("verify", path);
    }

    [Fact]
    public void A_killed_recording_is_recovered()
    {
        string path = demo.PathOf("killed.ttvm");
        using (Process process = StartLongRun(path))
        {
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(path));
        Ttvm.Refuses(3, ["info", path], "does not exist", $"ttvm recover {path}.partial");
        Ttvm.Refuses(3, ["info", path + ".partial"], "unfinished recording", "ttvm recover");
        Ttvm.Refuses(2, ["record", "-o", path, "--kernel", DemoRecording.Kernel], "partial exists already", "--force");
        Ttvm.Good("recover", path + ".partial");
        Assert.Contains("recovered", Ttvm.Good("info", path), StringComparison.Ordinal);
        Ttvm.Good("verify", path);
    }

    [Fact]
    public void Ctrl_C_ends_a_history_of_locks_midway_and_nothing_is_lost()
    {
        // As long as this host needs a history to be, so that it is not whole before Ctrl-C has come.
        for (ulong count = 150_000_000; count <= MostInstructions; count *= 2)
        {
            string path = demo.PathOf($"long-{count}.ttvm"), log = demo.PathOf($"long-{count}.log");
            Ttvm.Good("record", "-q", "-o", path, "--kernel", DemoRecording.Kernel, "--memory", "64M", "--cpus", "4", "--append", "rounds=1000000 think=1000", "--until", $"count:{count}");
            byte[] before = File.ReadAllBytes(path);
            if (!InterruptsHistory(path, log)) continue;
            Assert.Equal(before, File.ReadAllBytes(path));
            Assert.Contains("account.brokenLock", Ttvm.Good("locks", path, "--history"), StringComparison.Ordinal);
            return;
        }
        Assert.Fail("Ctrl-C always comes too late");
    }

    // False: the history was whole before.
    private static bool InterruptsHistory(string path, string log)
    {
        using Process process = Ttvm.Start(["locks", path, "--history", "--log-level", "debug", "--log-file", log]);
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEndAsync();
        // The replay has begun.
        Wait(process, () => GrowingFile.ReadAllText(log).Contains("Scan of ", StringComparison.Ordinal), "nothing is replayed");
        HostTool.Run("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)], s_patience);
        Assert.True(process.WaitForExit(s_patience));
        if (process.ExitCode == 0) return false;
        Assert.Equal((1, ""), (process.ExitCode, output.Result));
        return true;
    }

    // Returns when the guest has been running for a while.
    private static Process StartLongRun(string path)
    {
        Process process = Ttvm.Start(["record", "-o", path, "--kernel", DemoRecording.Kernel, "--memory", "64M", "--cpus", "2", "--append", "rounds=1000000 think=1000000"]);
        process.BeginErrorReadLine();
        string log = Path.Combine(path + ".partial", "log");
        Wait(process, () => GrowingFile.ReadAllBytes(log).Length > 500, "the guest does not run");
        return process;
    }

    private static void Wait(Process process, Func<bool> happened, string otherwise)
    {
        var watch = Stopwatch.StartNew();
        while (!happened())
        {
            // What it did last is there once it has ended.
            bool hasEnded = process.HasExited;
            if (hasEnded && happened()) return;
            Assert.True(watch.Elapsed < s_patience && !hasEnded, otherwise);
            Thread.Sleep(10);
        }
    }
}
