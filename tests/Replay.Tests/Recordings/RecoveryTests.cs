using System;
using System.IO;
using System.Threading;
using Replay.Packages;
using Replay.Recording;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>A recorder that is not allowed to finish leaves something that replays.</summary>
public sealed class RecoveryTests
{
    [Fact]
    public void Copies_of_the_partial_directory_at_any_moment_recover()
    {
        using var test = new TestRecording();
        using Recorder recorder = test.Begin(TestRecording.Demo64(2, 5, ClockKind.Host), interval: 50_000);
        var random = new Random(3);
        string copies = Directory.CreateTempSubdirectory("ttvm-copies").FullName;
        int copyCount = 0;
        using var done = new ManualResetEventSlim();
        // What a killed process leaves is what its files hold at that moment.
        var copier = new Thread(() =>
        {
            while (!done.Wait(random.Next(1, 8)) && copyCount < 20)
                GrowingFile.CopyFolder(test.PartialPath, Path.Combine(copies, $"{copyCount++}.ttvm.partial"));
        });
        copier.Start();
        RecorderStop stop;
        do
        {
            // Slow enough to be caught in the act.
            Thread.Sleep(1);
            stop = recorder.Run(recorder.Machine.InstructionCount + 5_000);
        }
        while (stop == RecorderStop.CountReached);
        done.Set();
        copier.Join();
        Assert.Equal(RecorderStop.Ended, stop);
        Assert.InRange(copyCount, 3, 20);
        var last = Position.Start;
        for (int i = 0; i < copyCount; i++)
        {
            string file = RecordingFile.Recover(Path.Combine(copies, $"{i}.ttvm.partial"));
            Assert.Equal(Path.Combine(copies, $"{i}.ttvm"), file);
            Assert.False(Directory.Exists(file + ".partial"));
            using RecordingFile recording = RecordingFile.Open(file);
            Assert.True(recording.WasRecovered);
            Assert.True(recording.End >= last);
            last = recording.End;
            VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
            Assert.True(report.IsGood, report.Problem);
        }
        Assert.True(last > Position.Start);
        Directory.Delete(copies, recursive: true);
    }

    [Fact]
    public void A_recorder_that_is_only_disposed_can_be_recovered()
    {
        using var test = new TestRecording();
        using (Recorder recorder = test.Begin(TestRecording.Demo64())) recorder.Run(777_777);
        Assert.False(File.Exists(test.FilePath));
        RecordingFormatException e = Assert.Throws<RecordingFormatException>(() => RecordingFile.Open(test.PartialPath));
        Assert.Contains("not finished", e.Message, StringComparison.Ordinal);
        RecordingFile.Recover(test.PartialPath);
        using RecordingFile recording = RecordingFile.Open(test.FilePath);
        Assert.Equal(new Position(777_777), recording.End);
        Assert.Equal(OutcomeKind.None, recording.Outcome.Kind);
        Assert.True(RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken).IsGood);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void A_log_without_its_first_checkpoint_can_be_recovered(int bytesLeft)
    {
        using var test = new TestRecording();
        using (Recorder recorder = test.Begin(TestRecording.Demo64(2, 5, ClockKind.Host))) recorder.Run(555_555);
        foreach (string part in (string[])["checkpoints", "pages"])
        {
            using var file = new FileStream(Path.Combine(test.PartialPath, part), FileMode.Open);
            file.SetLength(bytesLeft);
        }
        RecordingFile.Recover(test.PartialPath);
        using RecordingFile recording = RecordingFile.Open(test.FilePath);
        Assert.Equal(new Position(555_555), recording.End);
        Assert.Single(recording.Checkpoints);
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
    }

    [Fact]
    public void Nothing_is_overwritten_unasked()
    {
        using var test = new TestRecording();
        test.Record(TestRecording.Demo64(), until: 1000).Dispose();
        var options = new RecorderOptions { Path = test.FilePath };
        RecordingException e = Assert.Throws<RecordingException>(() =>
            new Recorder(TestRecording.Demo64(), new NoInput(), new TestHost(), options));
        Assert.Equal($"{test.FilePath} exists already", e.Message);
        File.Delete(test.FilePath);
        using (Recorder recorder = test.Begin(TestRecording.Demo64())) recorder.Run(100);
        e = Assert.Throws<RecordingException>(() => new Recorder(TestRecording.Demo64(), new NoInput(), new TestHost(), options));
        Assert.Contains("can be recovered", e.Message, StringComparison.Ordinal);
        var broken = TestRecording.Demo64() with { Images = [new MachineImage("kernel", "k", new byte[100])] };
        Assert.Throws<BootImageException>(() =>
            new Recorder(broken, new NoInput(), new TestHost(), new RecorderOptions { Path = test.FilePath + "2" }));
        Assert.False(Directory.Exists(test.FilePath + "2.partial"));
    }

    [Fact]
    public void Equal_recordings_have_equal_identities()
    {
        using TestRecording a = new(), b = new(), c = new();
        using RecordingFile first = a.Record(TestRecording.Demo64(2, 9), until: 500_000), second = b.Record(TestRecording.Demo64(2, 9),
            until: 500_000);
        using RecordingFile other = c.Record(TestRecording.Demo64(2, 10), until: 500_000);
        Assert.Equal(first.Identity, second.Identity);
        Assert.NotEqual(first.Identity, other.Identity);
        Assert.Equal(first.Checkpoints[^1].Digest, second.Checkpoints[^1].Digest);
    }

    [Fact]
    public void A_budget_spreads_checkpoints_out()
    {
        using TestRecording free = new(), limited = new();
        using RecordingFile all = free.Record(TestRecording.Demo64(), interval: 20_000);
        var options = new RecorderOptions { Path = limited.FilePath, CheckpointInterval = 20_000, CheckpointBudgetBytes = 120_000 };
        using (var recorder = new Recorder(TestRecording.Demo64(), new NoInput(), new TestHost(), options))
        {
            while (recorder.Run(recorder.Machine.InstructionCount + 20_000) == RecorderStop.CountReached) Thread.Sleep(1);
            recorder.Finish();
        }
        using RecordingFile some = RecordingFile.Open(limited.FilePath);
        Assert.InRange(some.Checkpoints.Count, 5, all.Checkpoints.Count / 2);
        Assert.True(RecordingVerifier.Verify(some, cancellation: TestContext.Current.CancellationToken).IsGood);
    }
}
