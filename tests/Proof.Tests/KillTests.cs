using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using Replay.Packages;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>kill -9 of `ttvm record` at random moments: what is left replays up to the last complete segment of its log.</summary>
public sealed class KillTests
{
    private const int FrameHeaderSizeBytes = 24;

    [Fact]
    [Trait("Category", "Slow")]
    public void Killed_while_it_records_the_demo() => KillAtRandomMoments("kill-demo64", seed: 1, rounds: 12, longestSeconds: null,
        ["--kernel", GuestImages.PrebuiltDemo64, "--memory", "16M", "--cpus", "4", "--chaos", "3", "--append", "tasks=8 rounds=40000 think=400", "--checkpoint-interval", "1000000"]);

    [Fact]
    [Trait("Category", "Slow")]
    public void Killed_while_it_records_Debian() => KillAtRandomMoments("kill-debian", seed: 2, rounds: 8, longestSeconds: 5,
        ["--kernel", GuestImages.LinuxCloudKernel(), "--initrd", GuestImages.Initramfs(), "--append", "console=ttyS0", "--memory", "128M", "--cpus", "2", "--clock", "host"]);

    // Every fourth is killed at any moment since there is a log. The others have a whole segment of it behind them: without a limit their moments are spread over all that is left of
    // the life of the process, the packing of the file at its end included, the first of them being at once.
    private static void KillAtRandomMoments(string name, int seed, int rounds, double? longestSeconds, string[] machine)
    {
        using var folder = new RecordingFolder(name);
        double seconds = longestSeconds ?? Measure(folder, machine);
        var random = new Random(seed);
        int whole = 0, recovered = 0, withProgress = 0;
        for (int round = 0; round < rounds; round++)
        {
            string path = folder.PathOf($"{round}.ttvm");
            bool isLate = round % 4 != 0;
            TimeSpan moment = TimeSpan.FromSeconds(round == 1 ? 0 : seconds * random.NextDouble());
            KillAfter(moment, isLate, path, ["record", "-q", "-o", path, .. machine]);
            if (File.Exists(path))
            {
                // Under the final name stands a whole recording or nothing.
                using (RecordingFile finished = RecordingFile.Open(path))
                {
                    Assert.False(finished.WasRecovered);
                    CheckGood(finished, moment);
                }
                whole++;
                File.Delete(path);
                continue;
            }
            string partial = path + ".partial";
            Assert.Equal(3, Ttvm.Run(["info", path]).ExitCode);
            Position through = LastCompleteSegment(Path.Combine(partial, "log"));
            RecordingFile.Recover(partial);
            Assert.False(Directory.Exists(partial));
            using (RecordingFile recording = RecordingFile.Open(path))
            {
                Assert.Equal(through, recording.End);
                CheckGood(recording, moment);
                using var timeline = new Timeline(recording);
                timeline.Seek(recording.End);
                timeline.StepBack();
                if (isLate) Assert.True(recording.End > Position.Start, $"killed {moment.TotalSeconds:F3} s after its log had a whole segment: nothing is left");
                if (recording.End > Position.Start) withProgress++;
            }
            recovered++;
            File.Delete(path);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {recovered} recovered ({withProgress} behind the start), {whole} were finished, moments up to {seconds:F1} s");
        Assert.Equal(rounds, recovered + whole);
        Assert.InRange(withProgress, 1, rounds);
        folder.Succeed();
    }

    private static double Measure(RecordingFolder folder, string[] machine)
    {
        string path = folder.PathOf("measured.ttvm");
        var watch = Stopwatch.StartNew();
        Ttvm.Expect(0, ["record", "-q", "-o", path, .. machine]);
        File.Delete(path);
        return watch.Elapsed.TotalSeconds;
    }

    // The moment counts from when there is a log (before, nothing has been recorded), or a segment of it.
    private static void KillAfter(TimeSpan moment, bool isAfterSegment, string path, IEnumerable<string> arguments)
    {
        using Process process = Ttvm.Start(arguments);
        string log = Path.Combine(path + ".partial", "log");
        while (!File.Exists(log) && !process.HasExited) Thread.Sleep(1);
        while (isAfterSegment && !process.HasExited && LastCompleteSegment(log) == Position.Start) Thread.Sleep(1);
        Thread.Sleep(moment);
        process.Kill(); // SIGKILL
        process.WaitForExit();
    }

    private static void CheckGood(RecordingFile recording, TimeSpan moment)
    {
        VerificationReport report = RecordingVerifier.Verify(recording);
        Assert.True(report.IsGood, $"killed after {moment.TotalSeconds:F3} s: {report.Problem}");
        Assert.Equal(recording.End.InstructionCount, report.ReplayedInstructions);
    }

    // Read as docs/TRACE_FORMAT.md says, without the code that is being tested: frames up to the first that is not whole.
    private static Position LastCompleteSegment(string logPath)
    {
        byte[] log = GrowingFile.ReadAllBytes(logPath);
        var through = Position.Start;
        for (int at = 0; at + FrameHeaderSizeBytes <= log.Length;)
        {
            uint metadata = BinaryPrimitives.ReadUInt32LittleEndian(log.AsSpan(at + 8)), payload = BinaryPrimitives.ReadUInt32LittleEndian(log.AsSpan(at + 12));
            if (at + FrameHeaderSizeBytes + metadata + payload > log.Length) break;
            ReadOnlySpan<byte> fields = log.AsSpan(at + FrameHeaderSizeBytes);
            through = new Position(BinaryPrimitives.ReadUInt64LittleEndian(fields[8..]), BinaryPrimitives.ReadUInt32LittleEndian(fields[36..]));
            at += FrameHeaderSizeBytes + (int)(metadata + payload);
        }
        return through;
    }
}
