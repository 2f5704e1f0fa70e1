using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Recording;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>A guest that is stopped, looked at, sent back and let live on: the recording is the same as that of one that nobody looked at.</summary>
public sealed class LiveRecordingTests
{
    // In the demo kernel as committed: bank_deposit, and the balance of the account.
    private const ulong Deposit = 0xffffffff80102ccb, Balance = 0xffffffff80104658;

    [Theory]
    [InlineData(1, ClockKind.Virtual, 1)]
    [InlineData(4, ClockKind.Virtual, 2)]
    [InlineData(4, ClockKind.Host, 3)]
    public void Looking_changes_nothing(int cpuCount, ClockKind clock, int seed)
    {
        using var test = new TestRecording();
        MachineConfiguration configuration = TestRecording.Demo64(cpuCount, cpuCount > 1 ? 3UL : null, clock);
        var digests = new Dictionary<Position, StateDigest>();
        var hits = new List<(StopCondition Condition, Position From, Position At)>();
        StopCondition[] conditions =
        [
            StopCondition.Breakpoint(Deposit), StopCondition.Watch(Balance, 8, WatchAccess.Write, isPhysical: false), StopCondition.SoftwareInterrupt(),
        ];
        using (var live = new LiveRecording(test.Begin(configuration)))
        {
            var random = new Random(seed);
            using (var timeline = new Timeline(live))
            {
                // The first thing it prints, then what comes again and again.
                LiveOn(timeline, StopCondition.ConsoleText("demo"), hits);
                for (int i = 0; i < 200 && timeline.IsLive; i++)
                {
                    Visit(timeline, random, conditions, hits);
                    digests[timeline.Position] = timeline.Digest();
                }
                timeline.Seek(timeline.End);
                while (timeline.IsLive) timeline.ContinueLive([]);
                Assert.Equal(timeline.End, timeline.Position);
                Assert.Equal(live.Recording.Outcome, timeline.Machine.Outcome);
                Assert.Equal(TimelineStopReason.End, timeline.StepForward().Reason);
                Assert.Equal(TimelineStopReason.End, timeline.StepForward().Reason);
            }
            live.Finish();
            Assert.False(live.IsAlive);
        }
        Assert.True(hits.Count > 20, $"only {hits.Count} hits");
        using RecordingFile recording = RecordingFile.Open(test.FilePath);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
        using var replay = new Timeline(recording);
        foreach ((Position position, StateDigest digest) in digests)
        {
            replay.Seek(position);
            Assert.Equal(position, replay.Position);
            Assert.True(digest == replay.Digest(), $"the digest at {position} differs");
        }
        foreach ((StopCondition condition, Position from, Position at) in hits)
        {
            replay.Seek(from);
            Assert.Equal((TimelineStopReason.Hit, at), (replay.Continue([condition]).Reason, replay.Position));
        }
        if (clock != ClockKind.Virtual) return;
        using var other = new TestRecording();
        using RecordingFile untouched = other.Record(configuration);
        Assert.Equal((untouched.End, untouched.Outcome, untouched.Manifest.End.Digest), (recording.End, recording.Outcome, recording.Manifest.End.Digest));
    }

    private static void Visit(Timeline timeline, Random random, StopCondition[] conditions, List<(StopCondition, Position, Position)> hits)
    {
        switch (random.Next(4))
        {
            case 0:
                timeline.Seek(timeline.End);
                for (int steps = random.Next(20); steps > 0; steps--)
                {
                    Position before = timeline.Position;
                    if (timeline.StepForward().Reason == TimelineStopReason.Done) Assert.True(timeline.Position > before);
                }
                break;
            case 1:
                timeline.StepBack((ulong)random.Next(30));
                break;
            case 2:
                timeline.Seek(new Position((ulong)random.NextInt64((long)timeline.End.InstructionCount + 1)));
                break;
            default:
                LiveOn(timeline, conditions[random.Next(conditions.Length)], hits);
                break;
        }
    }

    private static void LiveOn(Timeline timeline, StopCondition condition, List<(StopCondition, Position, Position)> hits)
    {
        timeline.Seek(timeline.End);
        Position from = timeline.Position;
        TimelineStop stop = timeline.ContinueLive([condition]);
        Assert.Equal(stop.Position, timeline.Position);
        Assert.Equal(timeline.IsLive || stop.Reason == TimelineStopReason.Hit ? TimelineStopReason.Hit : TimelineStopReason.End, stop.Reason);
        if (stop.Reason != TimelineStopReason.Hit) return;
        Assert.True(stop.Position > from && stop.Position < timeline.End);
        hits.Add((condition, from, stop.Position));
    }

    [Fact]
    public async Task A_guest_that_waits_is_woken_by_input_and_by_cancellation()
    {
        using var test = new TestRecording();
        var configuration = new MachineConfiguration
        {
            MemorySizeBytes = 32 << 20, Images = [new MachineImage("kernel", "echo.elf", await File.ReadAllBytesAsync(GuestImages.Own("echo.elf"), TestContext.Current.CancellationToken))],
        };
        var input = new InteractiveInput();
        using (var live = new LiveRecording(test.Begin(configuration, input: input)))
        {
            using (var timeline = new Timeline(live))
            {
                using (var pause = new CancellationTokenSource())
                {
                    Task<TimelineStop> run = Task.Run(() => timeline.ContinueLive([], pause.Token), TestContext.Current.CancellationToken);
                    await pause.CancelAsync();
                    TimelineStop paused = await run;
                    Assert.Equal((TimelineStopReason.Done, timeline.End), (paused.Reason, timeline.Position));
                }
                Assert.True(timeline.IsLive);
                input.Push("hello"u8);
                TimelineStop stop = timeline.ContinueLive([StopCondition.ConsoleText("HEL")], TestContext.Current.CancellationToken);
                Assert.Equal(TimelineStopReason.Hit, stop.Reason);
                timeline.StepBack(1000);
                timeline.Seek(timeline.End);
                input.Push("q"u8);
                Assert.Equal(TimelineStopReason.End, timeline.ContinueLive([], TestContext.Current.CancellationToken).Reason);
                Assert.Equal(OutcomeKind.DebugExit, timeline.Machine.Outcome.Kind);
            }
            live.Finish();
        }
        using RecordingFile recording = RecordingFile.Open(test.FilePath);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
        Assert.Contains("HELLO", Encoding.ASCII.GetString(recording.Console.ReadBytes(recording.End)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_finished_is_recovered()
    {
        using var test = new TestRecording();
        Position end;
        using (var live = new LiveRecording(test.Begin(TestRecording.Demo64())))
        {
            using var timeline = new Timeline(live);
            timeline.ContinueLive([StopCondition.Breakpoint(Deposit)]);
            timeline.StepBack(10);
            end = timeline.End;
        }
        using RecordingFile recording = RecordingFile.Open(RecordingFile.Recover(test.PartialPath));
        Assert.Equal(end, recording.End);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
    }
}
