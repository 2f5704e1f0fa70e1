using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Replay.Packages;
using Replay.Queries;
using Replay.Recording;
using Replay.Redaction;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>What is taken out of a recording is gone from all of the file, and the rest is as it was, or known not to be there.</summary>
public sealed class RedactionTests
{
    private const string Idle = "the-idle-secret-9071", Moved = "the-moved-secret-5523", Summed = "the-summed-secret-8812", Wiped = "the-wiped-secret-3346", Password = "open-sesame-4711";

    [Fact]
    public void What_nobody_reads_is_gone_and_everything_replays()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        RedactionReport report = Redact(test, whole, Text(Idle), out RecordingFile redacted);
        using (redacted)
        {
            Assert.Empty(report.Holes);
            Assert.Equal(20 * whole.Checkpoints.Count, report.MemoryBytes);
            Assert.Equal(20, report.FileBytes);
            RedactedFile.AssertGone(redacted, Idle);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
            Assert.Equal(4, redacted.Manifest.FormatVersion);
            Assert.Equal(["a text"], redacted.Manifest.Redaction!.What);
        }
    }

    [Theory]
    [InlineData(Moved)]
    [InlineData(Wiped)]
    public void What_is_only_copied_or_overwritten_leaves_no_hole(string text)
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        RedactionReport report = Redact(test, whole, Text(text), out RecordingFile redacted);
        using (redacted)
        {
            Assert.Empty(report.Holes);
            RedactedFile.AssertGone(redacted, text);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
        }
    }

    [Fact]
    public void What_is_worked_with_leaves_a_hole_from_its_first_reading_to_the_next_checkpoint()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        ulong address = AddressOf(whole, Summed);
        using var reference = new Timeline(whole);
        TimelineStop read = reference.Continue([StopCondition.Watch(address, Summed.Length, WatchAccess.Read, isPhysical: true)], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TimelineStopReason.Hit, read.Reason);

        RedactionReport report = Redact(test, whole, Range(address, Summed.Length), out RecordingFile redacted);
        using (redacted)
        {
            RecordingHole hole = Assert.Single(report.Holes);
            Assert.Equal(read.Position, hole.From);
            Assert.Equal(whole.Checkpoints.First(one => one.Position > read.Position).Position, hole.To);
            Assert.Equal([hole], redacted.Holes.All);
            RedactedFile.AssertGone(redacted, Summed);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
            AssertEdges(redacted, hole);
            // What was made of it is not it.
            Assert.Contains("sum AAAAAHKM", Encoding.ASCII.GetString(redacted.Console.ReadBytes(redacted.End)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_typed_is_gone_with_all_that_the_guest_keeps_of_it()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        RedactionReport report = Redact(test, whole, new RedactionPlan { TypedTexts = [Bytes(Password)], Descriptions = ["what was typed"] }, out RecordingFile redacted);
        using (redacted)
        {
            Assert.Empty(report.Holes);
            Assert.Equal(Password.Length, report.LogBytes);
            RedactedFile.AssertGone(redacted, Password, Password[..8], Password[^8..]);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
        }
        // Without being told what: all that was typed.
        Redact(test, whole, new RedactionPlan { Typed = (whole.Start, whole.End), Descriptions = ["all that was typed"] }, out redacted);
        using (redacted)
        {
            RedactedFile.AssertGone(redacted, Password, Password[..8], Password[^8..]);
            Assert.Contains(redacted.ReadInputs(), static one => one.Data.Span.Contains((byte)'\r'));
            AssertVerifies(redacted);
        }
    }

    private static RedactionPlan Text(string text) => new() { Texts = [Bytes(text)], Descriptions = ["a text"] };

    private static RedactionPlan Range(ulong physical, int sizeBytes) => new()
    {
        Select = _ => [new SelectedMemory([(physical, sizeBytes)])], Descriptions = ["memory"],
    };

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static RecordingFile Record(TestRecording test)
    {
        var configuration = new MachineConfiguration
        {
            MemorySizeBytes = 2 << 20, Images = [new MachineImage("kernel", "secrets.elf", File.ReadAllBytes(GuestImages.Own("secrets.elf")))],
        };
        RecordingFile file = test.Record(configuration, interval: 7_000, input: ScriptedInput.Parse($"expect password: \nwait 3000\nsend {Password}\\r"));
        Assert.Contains("thanks", Encoding.ASCII.GetString(file.Console.ReadBytes(file.End)), StringComparison.Ordinal);
        return file;
    }

    private static RedactionReport Redact(TestRecording test, RecordingFile whole, RedactionPlan plan, out RecordingFile redacted)
    {
        string path = test.FilePath + ".redacted.ttvm";
        RedactionReport report = RecordingRedactor.Redact(whole, path, plan, overwrite: true, cancellation: TestContext.Current.CancellationToken);
        // Nothing is left beside it.
        Assert.Equal([Path.GetFileName(test.FilePath), Path.GetFileName(path)], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName).Order());
        redacted = RecordingFile.Open(path);
        return report;
    }

    private static ulong AddressOf(RecordingFile recording, string text)
    {
        using var timeline = new Timeline(recording);
        var memory = new byte[timeline.Machine.Memory.Ram.PageCount << PagedMemory.PageShift];
        timeline.Machine.Memory.Read(new GuestPhysicalAddress(0), memory);
        return (ulong)memory.AsSpan().IndexOf(Bytes(text));
    }

    private static void AssertVerifies(RecordingFile recording)
    {
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
        ulong missing = 0;
        foreach (RecordingHole hole in recording.Holes.All) missing += hole.To.InstructionCount - hole.From.InstructionCount;
        Assert.Equal(recording.InstructionCount - missing, report.ReplayedInstructions);
    }

    // Everywhere that can be visited: the same code at the same positions, and the same memory but for fillers.
    private static void AssertAlike(RecordingFile whole, RecordingFile redacted)
    {
        using Timeline expected = new(whole), got = new(redacted);
        var random = new Random(1);
        IEnumerable<Position> positions = Enumerable.Range(0, 40).Select(_ => new Position((ulong)random.NextInt64((long)whole.End.InstructionCount)))
            .Concat(redacted.Holes.All.SelectMany(static hole => (Position[])[hole.From, hole.To])).Append(whole.End);
        foreach (Position at in positions)
        {
            if (redacted.Holes.At(at) is not null)
            {
                Assert.Throws<RedactedPositionException>(() => got.Seek(at));
                continue;
            }
            expected.Seek(at, cancellation: TestContext.Current.CancellationToken);
            got.Seek(at, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(expected.Position, got.Position);
            Assert.Equal(expected.Machine.Vcpus[0].State.Rip, got.Machine.Vcpus[0].State.Rip);
            for (int page = 0; page < expected.Machine.Memory.Ram.PageCount; page++)
            {
                ReadOnlySpan<byte> a = expected.Machine.Memory.Ram.Page(page), b = got.Machine.Memory.Ram.Page(page);
                for (int i = a.CommonPrefixLength(b); i < a.Length; i++) Assert.True(a[i] == b[i] || b[i] == RecordingRedactor.Filler, $"page {page}, byte {i} at {at}");
            }
        }
    }

    private static void AssertEdges(RecordingFile redacted, RecordingHole hole)
    {
        using var timeline = new Timeline(redacted);
        var inside = new Position(hole.From.InstructionCount + 1);
        Assert.Equal($"position {inside} cannot be replayed: memory was redacted; it replays up to {hole.From} and again from {hole.To}",
            Assert.Throws<RedactedPositionException>(() => timeline.Seek(inside)).Message);
        Assert.Equal(redacted.Start, timeline.Position);

        // Steps stop at the edge, and then go over it, in both directions.
        timeline.Seek(new Position(hole.From.InstructionCount - 3));
        AssertStop(timeline.StepForward(10), hole.From);
        AssertStop(timeline.StepForward(10), hole.To);
        Assert.Equal(TimelineStopReason.Done, timeline.StepForward(5).Reason);
        AssertStop(timeline.StepBack(10), hole.To);
        AssertStop(timeline.StepBack(10), hole.From);
        Assert.Equal(TimelineStopReason.Done, timeline.StepBack(2).Reason);

        // So does continuing, if nothing is met before.
        AssertStop(Go(true), hole.From);
        Assert.Equal(TimelineStopReason.End, Go(true).Reason);
        AssertStop(Go(false), hole.To);
        Assert.Equal(TimelineStopReason.Start, Go(false).Reason);
        // Only the steps went over it without saying so before.
        Assert.Equal([hole], redacted.Holes.TakePassed());
        Assert.Empty(redacted.Holes.TakePassed());

        using var passing = new Timeline(redacted);
        passing.Seek(hole.From);
        TimelineStop text = passing.Continue([StopCondition.ConsoleText("password: ")]);
        Assert.True(text.Reason == TimelineStopReason.Hit && text.Position > hole.To);
        passing.Seek(redacted.Start);
        TimelineStop port = passing.Continue([StopCondition.Port(0xF4)]);
        Assert.Equal(TimelineStopReason.Hit, port.Reason);
        Assert.Equal([hole], redacted.Holes.TakePassed());
        passing.Seek(redacted.End);
        TimelineStop first = passing.ReverseContinue([StopCondition.ConsoleText("secrets: begins")]);
        Assert.True(first.Reason == TimelineStopReason.Hit && first.Position < hole.From);
        passing.Seek(redacted.End);
        Assert.Equal(TimelineStopReason.Start, passing.ReverseContinue([StopCondition.Port(0x1234)]).Reason);
        Assert.Equal([hole], redacted.Holes.TakePassed());

        TimelineStop Go(bool isForward) => isForward ? timeline.Continue([], null, null, TestContext.Current.CancellationToken, stopsAtHoles: true)
            : timeline.ReverseContinue([], null, null, TestContext.Current.CancellationToken, stopsAtHoles: true);

        void AssertStop(TimelineStop stop, Position position)
        {
            Assert.Equal((TimelineStopReason.Hole, position), (stop.Reason, stop.Position));
            Assert.Equal(hole, stop.Hole);
        }
    }
}
