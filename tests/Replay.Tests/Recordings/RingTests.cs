using System;
using System.IO;
using System.Linq;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>A recorder that keeps only the last part.</summary>
public sealed class RingTests
{
    [Theory]
    [InlineData(1, null)]
    [InlineData(4, 3UL)]
    public void The_last_part_is_the_whole_recordings_last_part(int cpuCount, ulong? chaosSeed)
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(TestRecording.Demo64(cpuCount, chaosSeed), interval: 20_000);
        string path = test.FilePath + ".ring.ttvm", partial = path + ".partial", copies = Directory.CreateTempSubdirectory("ttvm-ring").FullName;
        const int limit = 150_000;
        var options = new RecorderOptions { Path = path, CheckpointInterval = 20_000, RingSizeBytes = limit };
        int copyCount = 0, generations = 0;
        using (var recorder = new Recorder(TestRecording.Demo64(cpuCount, chaosSeed), new NoInput(), new TestHost(), options))
        {
            string[] before = [];
            while (recorder.Run(recorder.Machine.InstructionCount + 30_000) == RecorderStop.CountReached)
            {
                string[] files = [.. Directory.GetFiles(partial).Order(StringComparer.Ordinal)];
                Assert.InRange(files.Sum(file => new FileInfo(file).Length), 1, 3 * limit);
                Assert.Equal(4, files.Length);
                if (!files.SequenceEqual(before))
                {
                    generations++;
                    GrowingFile.CopyFolder(partial, Path.Combine(copies, $"{copyCount++}.ttvm.partial"));
                }
                before = files;
            }
            recorder.Finish();
        }
        Assert.InRange(generations, 3, 1000);
        using var ring = RecordingFile.Open(path);
        Assert.True(ring.Start > new Position(whole.End.InstructionCount / 3));
        Assert.Equal(whole.End, ring.End);
        Assert.Equal(whole.Outcome.Kind, ring.Outcome.Kind);
        Assert.Equal(whole.Manifest.End.Digest, ring.Manifest.End.Digest);
        Assert.Equal(whole.Manifest.Images, ring.Manifest.Images);
        CheckGood(ring);
        using Timeline reference = new(whole), timeline = new(ring);
        var random = new Random(1);
        for (int i = 0; i < 10; i++)
        {
            var at = new Position((ulong)random.NextInt64((long)ring.Start.InstructionCount, (long)ring.End.InstructionCount));
            if (at < ring.Start) continue;
            timeline.Seek(at, cancellation: TestContext.Current.CancellationToken);
            reference.Seek(at, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(reference.Digest(), timeline.Digest());
        }
        for (int i = 0; i < copyCount; i++)
        {
            using var recovered = RecordingFile.Open(RecordingFile.Recover(Path.Combine(copies, $"{i}.ttvm.partial")));
            CheckGood(recovered);
        }
        Directory.Delete(copies, recursive: true);
    }

    [Fact]
    public void Whoever_is_killed_between_two_generations_loses_nothing()
    {
        using var test = new TestRecording();
        var options = new RecorderOptions { Path = test.FilePath, CheckpointInterval = 20_000, RingSizeBytes = 100_000 };
        using (var recorder = new Recorder(TestRecording.Demo64(), new NoInput(), new TestHost(), options))
        {
            while (!File.Exists(Path.Combine(test.PartialPath, "log.2")))
                Assert.Equal(RecorderStop.CountReached, recorder.Run(recorder.Machine.InstructionCount + 30_000));
        }
        // Begun, and not yet named by the manifest.
        foreach (string part in (string[])["log.3", "checkpoints.3", "manifest.json.new"]) File.WriteAllText(Path.Combine(test.PartialPath, part), "torn");
        using var recovered = RecordingFile.Open(RecordingFile.Recover(test.PartialPath));
        Assert.True(recovered.Start > Position.Start);
        CheckGood(recovered);
        Assert.False(Directory.Exists(test.PartialPath));
    }

    private static void CheckGood(RecordingFile recording)
    {
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
    }
}
