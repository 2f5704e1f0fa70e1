using System;
using System.IO;
using System.Linq;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using TestKit;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>A recording may be as long as it likes: what opening it, standing in it and going somewhere take depends on its index, or on nothing of it.</summary>
public sealed class ScaleTests
{
    // As many checkpoints as a recording of 128,000,000,000 instructions has by default.
    private const int CheckpointCount = 4000, ShortCheckpointCount = 80;
    private const ulong Interval = 5_000;

    [Fact]
    public void Opening_reads_no_content()
    {
        using var test = new TestRecording();
        Record(test, CheckpointCount);
        byte[] file = File.ReadAllBytes(test.FilePath);
        using (var container = new ZipContainerReader(test.FilePath))
        {
            foreach (string name in (string[])[PartName.Log, PartName.Checkpoints, PartName.Pages, PartName.PageHashes])
            {
                // Of a part only the two ends stay: there are the table of memories, the first checkpoint and its pages, and the log's last segment, which knows of inputs to come.
                byte[] part = container.Get(name).ReadAll(Array.MaxLength);
                int at = file.AsSpan().IndexOf(part);
                Assert.True(at >= 0);
                int first = Math.Min(part.Length / 2, 1 << 20), last = Math.Max(first, part.Length - 4096);
                file.AsSpan(at, part.Length)[first..last].Clear();
            }
        }
        string hollow = test.FilePath + ".hollow";
        File.WriteAllBytes(hollow, file);
        using RecordingFile whole = RecordingFile.Open(test.FilePath), recording = RecordingFile.Open(hollow);
        Assert.Equal(whole.Checkpoints, recording.Checkpoints);
        Assert.True(recording.Checkpoints.Count >= CheckpointCount);
        using var timeline = new Timeline(recording);
        Assert.Equal(Position.Start, timeline.Position);
        Assert.Throws<RecordingFormatException>(() => timeline.Seek(new Position(recording.End.InstructionCount / 4 * 3)));
    }

    [Fact]
    public void Memory_for_an_open_recording_is_its_index()
    {
        using TestRecording few = new(), many = new();
        Record(few, ShortCheckpointCount);
        Record(many, CheckpointCount);
        (long Allocated, long Index) short_ = AllocatedAtOpening(few.FilePath), long_ = AllocatedAtOpening(many.FilePath);
        // What is known of each frame is kept as the index has it.
        Assert.InRange(long_.Allocated - short_.Allocated, 0, 2 * (long_.Index - short_.Index));
    }

    [Fact]
    public void Going_somewhere_takes_the_same_memory_however_long_it_is()
    {
        using TestRecording few = new(), many = new();
        Record(few, ShortCheckpointCount);
        Record(many, CheckpointCount);
        long inShort = MostAllocatedBySeeks(few.FilePath), inLong = MostAllocatedBySeeks(many.FilePath);
        Assert.InRange(inLong, 1, 2 * inShort);
    }

    [Fact]
    public void Inputs_are_counted_without_the_log()
    {
        using var test = new TestRecording();
        using RecordingFile recording = test.Record(TestRecording.Demo64(2, 5, ClockKind.Host), interval: 30_000, until: 500_000);
        Assert.True(recording.InputCount > 0);
        Assert.Equal(recording.ReadInputs().LongCount(), recording.InputCount);
        using TestRecording none = new();
        using RecordingFile silent = none.Record(TestRecording.Demo64(), until: 100_000);
        Assert.Equal(silent.ReadInputs().LongCount(), silent.InputCount);
    }

    /// <summary>Exits cost more than instructions: a guest that does little else has checkpoints closer by, and at the same places however its run was cut.</summary>
    [Fact]
    public void Guests_that_poll_have_checkpoints_closer_by()
    {
        const ulong until = 30_000_000;
        var configuration = new MachineConfiguration { MemorySizeBytes = 16 << 20, Images = [new MachineImage("kernel", "echo.elf", File.ReadAllBytes(GuestImages.Own("echo.elf")))] };
        using TestRecording one = new(), cut = new();
        using RecordingFile recording = one.Record(configuration, RecorderOptions.DefaultCheckpointInterval, until);
        using (Recorder recorder = cut.Begin(configuration, RecorderOptions.DefaultCheckpointInterval))
        {
            for (ulong count = 0; count < until; count += 1_234_567) recorder.Run(Math.Min(until, count + 1_234_567));
            recorder.Finish();
        }
        using RecordingFile other = RecordingFile.Open(cut.FilePath);
        Assert.Equal(recording.Checkpoints, other.Checkpoints);
        Assert.True(recording.Checkpoints.Count > 3);
        using var timeline = new Timeline(recording);
        ulong last = 0;
        foreach (ulong next in recording.Checkpoints.Select(checkpoint => ExitsAt(timeline, checkpoint.Position)))
        {
            Assert.InRange(next - last, 0UL, 5_000_000UL);
            last = next;
        }
        Assert.True(last > 6_000_000);
    }

    private static ulong ExitsAt(Timeline timeline, Position position)
    {
        timeline.Seek(position);
        ulong count = 0;
        for (ExitReason reason = 0; reason < ExitReason.Count; reason++) count += timeline.Machine.Exits[reason];
        return count;
    }

    private static void Record(TestRecording test, int checkpointCount)
    {
        // It pays in for longer than anybody waits.
        MachineConfiguration configuration = TestRecording.Demo64(2, 5) with { CommandLine = "rounds=1000000 think=100" };
        test.Record(configuration, Interval, (ulong)checkpointCount * Interval).Dispose();
    }

    private static (long Allocated, long Index) AllocatedAtOpening(string path)
    {
        // The first time, code is compiled and tables are made.
        RecordingFile.Open(path).Dispose();
        using var container = new ZipContainerReader(path);
        long index = new[] { PartName.LogIndex, PartName.CheckpointIndex, PartName.PageIndex }.Sum(name => container.Get(name).SizeBytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using RecordingFile recording = RecordingFile.Open(path);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(index > 0);
        // Indices are compressed: as they are, they have some sixty bytes for each.
        return (allocated, index + 60L * (recording.Sizes.LogSegmentCount + recording.Sizes.CheckpointCount));
    }

    private static long MostAllocatedBySeeks(string path)
    {
        using RecordingFile recording = RecordingFile.Open(path);
        using var timeline = new Timeline(recording);
        timeline.Seek(recording.End);
        var random = new Random(5);
        long most = 0;
        for (int i = 0; i < 20; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            timeline.Seek(new Position((ulong)random.NextInt64((long)recording.End.InstructionCount)));
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return most;
    }
}
