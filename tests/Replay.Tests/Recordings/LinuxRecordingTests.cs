using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>Debian's kernel: recorded, verified, and visited in random order.</summary>
public sealed class LinuxRecordingTests
{
    [Theory]
    [InlineData(1, null, ClockKind.Virtual)]
    [InlineData(2, null, ClockKind.Virtual)]
    [InlineData(2, 7UL, ClockKind.Host)]
    public void A_boot_replays_from_anywhere(int cpuCount, ulong? chaosSeed, ClockKind clock)
    {
        using var test = new TestRecording();
        using RecordingFile recording = test.Record(Linux(cpuCount, chaosSeed, clock, "console=ttyS0 panic=-1"), interval: 16_000_000,
            until: 6_000_000_000);
        Assert.Equal(OutcomeKind.PowerOff, recording.Outcome.Kind);
        Assert.NotNull(recording.Console.Find("ttvm: workload done", Position.Start, reverse: false));
        if (clock == ClockKind.Virtual) Assert.InRange(recording.Sizes.LogSizeBytes, 1, (long)(recording.End.InstructionCount / 1000));
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);

        var random = new Random(1);
        var digests = new SortedDictionary<Position, StateDigest>();
        for (int i = 0; i < 100; i++) digests[new Position((ulong)random.NextInt64((long)recording.End.InstructionCount))] = default;
        Position[] positions = [.. digests.Keys];
        using var straight = new Timeline(recording);
        foreach (Position position in positions)
        {
            straight.Seek(position);
            digests[position] = straight.Digest();
        }
        random.Shuffle(positions);
        using var timeline = new Timeline(recording);
        foreach (Position position in positions)
        {
            timeline.Seek(position);
            Assert.True(digests[position] == timeline.Digest(), $"the digest at {position} differs");
        }
    }

    /// <summary>What is to be shared: at most 5 MB beside the images, with checkpoints near enough to go anywhere soon; and it is all there.</summary>
    [Fact]
    public void A_packed_boot_is_small()
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(Linux(1, null, ClockKind.Virtual, "console=ttyS0 panic=-1"), interval: 32_000_000, until: 6_000_000_000);
        string path = whole.Path + ".packed";
        try
        {
            RecordingCompactor.Compact(whole, path, overwrite: false, stripImages: false, RecordingCompactor.UsualDistance, cancellation: TestContext.Current.CancellationToken);
            using var packed = RecordingFile.Open(path);
            Assert.InRange(packed.Sizes.FileSizeBytes - packed.Sizes.ImageSizeBytes, 1, 5_000_000);
            Assert.Equal(4, packed.Manifest.FormatVersion);
            ulong last = 0;
            foreach (CheckpointInfo checkpoint in packed.Checkpoints)
            {
                Assert.InRange(checkpoint.Position.InstructionCount - last, 0UL, RecordingCompactor.UsualDistance + 64_000_000);
                last = checkpoint.Position.InstructionCount;
            }
            Assert.InRange(packed.End.InstructionCount - last, 0UL, RecordingCompactor.UsualDistance);
            VerificationReport report = RecordingVerifier.Verify(packed, cancellation: TestContext.Current.CancellationToken);
            Assert.True(report.IsGood, report.Problem);
            using Timeline reference = new(whole), timeline = new(packed);
            foreach (int percent in (int[])[95, 20, 60])
            {
                var position = new Position(whole.End.InstructionCount / 100 * (ulong)percent);
                reference.Seek(position);
                timeline.Seek(position);
                Assert.Equal(reference.Digest(), timeline.Digest());
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(ClockKind.Virtual)]
    [InlineData(ClockKind.Host)]
    public void A_shell_session_replays(ClockKind clock)
    {
        using var test = new TestRecording();
        ScriptedInput script = ScriptedInput.Parse("""
            expect / #
            send echo the answer is $((6*7))\n
            expect the answer is 42
            expect / #
            send sleep 1; echo slept\n
            expect slept
            expect / #
            wait 1000000
            send poweroff -f\n
            """);
        using RecordingFile recording = test.Record(Linux(1, null, clock, "console=ttyS0 panic=-1 rdinit=/bin/sh"), 16_000_000,
            ulong.MaxValue, script);
        string console = Encoding.Latin1.GetString(recording.Console.ReadBytes(recording.End));
        Assert.True(script.IsDone, $"{script.CurrentCommand}\n{recording.Outcome}\n{console}");
        Assert.Equal(OutcomeKind.PowerOff, recording.Outcome.Kind);
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
    }

    private static MachineConfiguration Linux(int cpuCount, ulong? chaosSeed, ClockKind clock, string commandLine) => new()
    {
        CpuCount = cpuCount, ChaosSeed = chaosSeed, Clock = clock, CommandLine = commandLine,
        Images =
        [
            new MachineImage("kernel", "vmlinuz", File.ReadAllBytes(GuestImages.LinuxCloudKernel())),
            new MachineImage("initrd", "initramfs.cpio.gz", File.ReadAllBytes(GuestImages.Initramfs())),
        ],
    };
}
