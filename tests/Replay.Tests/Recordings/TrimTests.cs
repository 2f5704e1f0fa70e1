using System;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using Replay.Verification;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>A stretch of a recording is a recording: the same states at the same positions.</summary>
public sealed class TrimTests
{
    [Theory]
    [InlineData(1, null, ClockKind.Virtual)]
    [InlineData(4, 7UL, ClockKind.Virtual)]
    [InlineData(2, 3UL, ClockKind.Host)]
    public void States_stay_where_they_are(int cpuCount, ulong? chaosSeed, ClockKind clock)
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(TestRecording.Demo64(cpuCount, chaosSeed, clock), interval: 100_000);
        using var reference = new Timeline(whole);
        var random = new Random(cpuCount);
        for (int round = 0; round < 4; round++)
        {
            ulong a = (ulong)random.NextInt64((long)whole.End.InstructionCount), b = (ulong)random.NextInt64((long)whole.End.InstructionCount);
            Position from = new(Math.Min(a, b)), to = round == 0 ? whole.End : new Position(Math.Max(a, b));
            string path = Path.Combine(Path.GetDirectoryName(test.FilePath)!, $"{round}.ttvm");
            RecordingTrimmer.Trim(whole, from, to, path, overwrite: false, cancellation: TestContext.Current.CancellationToken);
            using RecordingFile cut = RecordingFile.Open(path);
            Assert.True(cut.Start <= from && from.InstructionCount - cut.Start.InstructionCount <= 100_000);
            Assert.True(cut.End >= to && cut.End.InstructionCount == to.InstructionCount);
            Assert.Equal(3, cut.Manifest.FormatVersion);
            // An ELF file: the guest's symbols.
            Assert.Equal(whole.Manifest.Images, cut.Manifest.Images);
            Assert.Equal(round == 0 ? whole.Outcome.Kind : OutcomeKind.None, cut.Outcome.Kind);
            Assert.Equal(whole.Console.ReadBytes(cut.End)[whole.Console.ReadBytes(cut.Start).Length..], cut.Console.ReadBytes(cut.End));
            VerificationReport report = RecordingVerifier.Verify(cut, cancellation: TestContext.Current.CancellationToken);
            Assert.True(report.IsGood, report.Problem);
            Assert.Equal(cut.InstructionCount, report.ReplayedInstructions);
            using var timeline = new Timeline(cut);
            for (int i = 0; i < 12; i++)
            {
                Position at = i == 0 ? cut.Start : i == 1 ? cut.End : new Position((ulong)random.NextInt64((long)cut.Start.InstructionCount + 1, (long)cut.End.InstructionCount + 1));
                if (at > cut.End) continue;
                timeline.Seek(at, cancellation: TestContext.Current.CancellationToken);
                reference.Seek(at, cancellation: TestContext.Current.CancellationToken);
                Assert.Equal(reference.Position, timeline.Position);
                Assert.Equal(reference.Digest(), timeline.Digest());
            }
            timeline.Seek(cut.Start, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(TimelineStopReason.Start, timeline.StepBack(1, null, TestContext.Current.CancellationToken).Reason);
            Assert.Equal(cut.Start, timeline.Position);
        }
    }

    [Fact]
    public void A_stretch_of_a_stretch_is_one_too_and_its_start_is_known()
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(TestRecording.Demo64(2, 5), interval: 100_000);
        string once = test.FilePath + ".1.ttvm", twice = test.FilePath + ".2.ttvm", direct = test.FilePath + ".3.ttvm";
        Position from = new(700_000), to = new(1_100_000);
        RecordingTrimmer.Trim(whole, new Position(350_000), whole.End, once, overwrite: false, cancellation: TestContext.Current.CancellationToken);
        using RecordingFile first = RecordingFile.Open(once);
        RecordingTrimmer.Trim(first, from, to, twice, overwrite: false, cancellation: TestContext.Current.CancellationToken);
        RecordingTrimmer.Trim(whole, from, to, direct, overwrite: false, cancellation: TestContext.Current.CancellationToken);
        using RecordingFile second = RecordingFile.Open(twice), other = RecordingFile.Open(direct);
        Assert.Equal(other.Checkpoints, second.Checkpoints);
        Assert.Equal(other.Manifest.End, second.Manifest.End);
        Assert.Equal($"position 1 is before the start of the recording, which is {second.Start}",
            Assert.Throws<PositionSyntaxException>(() => PositionSyntax.Parse("1", second.Start, second.End)).Message);
        Assert.Equal(second.Start, PositionSyntax.Parse("0%", second.Start, second.End));
        Assert.Equal(second.Start, PositionSyntax.Parse("start", second.Start, second.End));
    }
}
