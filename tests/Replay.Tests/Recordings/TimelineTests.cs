using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>Two recordings of the demo kernel, made once: one vCPU with fixed turns, four with chaos.</summary>
public sealed class DemoRecordings : IDisposable
{
    private readonly TestRecording _plainTest = new(), _chaosTest = new();

    public DemoRecordings()
    {
        Plain = _plainTest.Record(TestRecording.Demo64(1, null), interval: 300_000);
        Chaos = _chaosTest.Record(TestRecording.Demo64(4, 3, ClockKind.Host), interval: 100_000);
    }

    public RecordingFile Plain { get; }
    public RecordingFile Chaos { get; }

    public RecordingFile this[string name] => name == "plain" ? Plain : Chaos;

    public void Dispose()
    {
        Plain.Dispose();
        Chaos.Dispose();
        _plainTest.Dispose();
        _chaosTest.Dispose();
    }
}

/// <summary>The reverse properties: each answer of a timeline against one found by plain stepping.</summary>
public sealed class TimelineTests(DemoRecordings recordings) : IClassFixture<DemoRecordings>
{
    [Fact]
    public void A_kept_state_is_the_state_of_its_position()
    {
        using var timeline = new Timeline(recordings.Chaos);
        var random = new Random(4);
        var kept = new List<(Position At, StateDigest Digest)>();
        for (int i = 0; i < 10; i++)
        {
            timeline.Seek(new Position((ulong)random.NextInt64((long)timeline.End.InstructionCount)));
            timeline.StepForward((ulong)random.Next(5));
            timeline.Keep();
            timeline.Keep();
            kept.Add((timeline.Position, timeline.Digest()));
        }
        foreach ((Position at, _) in kept.Take(5)) timeline.Forget(at);
        timeline.Forget(timeline.End);
        Assert.Equal([.. Enumerable.Repeat(false, 5), .. Enumerable.Repeat(true, 5)], kept.Select(one => timeline.IsKept(one.At)));
        foreach ((Position at, StateDigest digest) in kept)
        {
            timeline.Seek(at);
            Assert.Equal((at, digest), (timeline.Position, timeline.Digest()));
            timeline.StepBack(3);
            timeline.StepForward(3);
            Assert.Equal((at, digest), (timeline.Position, timeline.Digest()));
        }
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("chaos")]
    public void The_digest_of_a_position_does_not_depend_on_the_way_there(string name)
    {
        RecordingFile recording = recordings[name];
        var random = new Random(1);
        var targets = new List<Position>();
        for (int i = 0; i < 40; i++) targets.Add(new Position((ulong)random.NextInt64((long)recording.End.InstructionCount)));
        targets.Add(Position.Start);
        targets.Add(recording.End);
        targets.Sort();
        var expected = new Dictionary<Position, StateDigest>();
        using (var straight = new Timeline(recording))
        {
            foreach (Position target in targets)
            {
                straight.Seek(target);
                expected[target] = straight.Digest();
            }
        }
        foreach (CheckpointInfo checkpoint in recording.Checkpoints)
            if (expected.TryGetValue(checkpoint.Position, out StateDigest there)) Assert.Equal(checkpoint.Digest, there);

        Position[] order = [.. targets, .. targets];
        random.Shuffle(order);
        using var timeline = new Timeline(recording);
        foreach (Position target in order)
        {
            timeline.Seek(target);
            Assert.Equal(target, timeline.Position);
            Assert.True(expected[target] == timeline.Digest(), $"the digest at {target} differs");
        }
        timeline.Seek(recording.End);
        Assert.Equal(recording.Outcome, timeline.Machine.Outcome);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("chaos")]
    public void So_many_forward_and_so_many_back_give_the_same_positions(string name)
    {
        RecordingFile recording = recordings[name];
        var random = new Random(2);
        using var timeline = new Timeline(recording);
        for (int round = 0; round < 12; round++)
        {
            timeline.Seek(new Position((ulong)random.NextInt64((long)recording.End.InstructionCount - 3000)));
            var positions = new List<Position> { timeline.Position };
            var digests = new List<StateDigest> { timeline.Digest() };
            int count = round == 0 ? 2500 : random.Next(1, 60);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal(TimelineStopReason.Done, timeline.StepForward().Reason);
                positions.Add(timeline.Position);
                digests.Add(i % 50 == 0 ? timeline.Digest() : default);
            }
            Position far = timeline.Position;
            timeline.StepBack((ulong)count);
            Assert.Equal(positions[0], timeline.Position);
            Assert.Equal(digests[0], timeline.Digest());
            timeline.StepForward((ulong)count);
            Assert.Equal(far, timeline.Position);
            for (int i = count - 1; i >= Math.Max(0, count - 100); i--)
            {
                timeline.StepBack();
                Assert.Equal(positions[i], timeline.Position);
                if (digests[i] != default) Assert.Equal(digests[i], timeline.Digest());
            }
            // In jumps of different sizes.
            for (int at = Math.Max(0, count - 100); at > 0;)
            {
                int jump = random.Next(1, at + 1);
                timeline.StepBack((ulong)jump);
                at -= jump;
                Assert.Equal(positions[at], timeline.Position);
            }
        }
    }

    [Fact]
    public void The_start_and_the_end_are_told_twice()
    {
        using var timeline = new Timeline(recordings.Plain);
        timeline.StepForward(3);
        Assert.Equal(TimelineStopReason.Start, timeline.StepBack(10).Reason);
        Assert.Equal(TimelineStopReason.Start, timeline.StepBack().Reason);
        Assert.Equal(Position.Start, timeline.Position);
        timeline.Seek(timeline.End);
        Assert.Equal(TimelineStopReason.End, timeline.StepForward().Reason);
        Assert.Equal(TimelineStopReason.End, timeline.StepForward().Reason);
        Assert.Equal(timeline.End, timeline.Position);
        Assert.Throws<ArgumentOutOfRangeException>(() => timeline.Seek(new Position(timeline.End.InstructionCount + 1)));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("chaos")]
    public void Continue_and_reverse_continue_find_what_brute_force_finds(string name)
    {
        RecordingFile recording = recordings[name];
        var random = new Random(4);
        using var timeline = new Timeline(recording, new TimelineOptions { MaxParallelism = 2 });
        timeline.Seek(new Position(recording.End.InstructionCount / 2));
        ulong rip = timeline.Machine.Vcpus[timeline.Machine.CurrentCpuIndex].State.Rip;
        ulong stack = timeline.Machine.Vcpus[timeline.Machine.CurrentCpuIndex].State.Rsp;
        timeline.StepBack();
        ulong physical = timeline.Continue([StopCondition.Breakpoint(rip)]).Hits[0].Event.Physical;
        StopCondition[] conditions =
        [
            StopCondition.Breakpoint(rip), StopCondition.PhysicalBreakpoint(physical), StopCondition.Exception(),
                StopCondition.Exception(14), StopCondition.Interrupt(), StopCondition.SoftwareInterrupt(),
            StopCondition.Port(0x3F8, AccessDirection.Write), StopCondition.Port(0x3FD), StopCondition.Mmio(0xFEE000B0, 4),
                StopCondition.Msr(0xC0000080),
            StopCondition.ControlRegister(3), StopCondition.Watch(stack - 8, 8, WatchAccess.Write, isPhysical: false),
            StopCondition.Watch(stack - 8, 8, WatchAccess.Read, isPhysical: false), StopCondition.ConsoleText("deposited"),
        ];
        int found = 0;
        foreach (StopCondition condition in conditions)
        {
            List<Position> hits = BruteForce(recording, condition);
            if (hits.Count > 0) found++;
            for (int round = 0; round < 6; round++)
            {
                // From anywhere, and from a hit itself.
                Position from = round % 2 == 0
                    || hits.Count == 0 ? new Position((ulong)random.NextInt64((long)recording.End.InstructionCount))
                    : hits[random.Next(hits.Count)];
                timeline.Seek(from);
                from = timeline.Position;
                Position? next = hits.Where(h =>
                    h > from).Cast<Position?>().FirstOrDefault(), last = hits.Where(h => h < from).Cast<Position?>().LastOrDefault();
                TimelineStop stop = timeline.Continue([condition]);
                Assert.Equal((next is null
                    ? TimelineStopReason.End : TimelineStopReason.Hit, next ?? recording.End), (stop.Reason, timeline.Position));
                timeline.Seek(from);
                stop = timeline.ReverseContinue([condition]);
                Assert.Equal((last is null
                    ? TimelineStopReason.Start : TimelineStopReason.Hit, last ?? Position.Start), (stop.Reason, timeline.Position));
                if (last is not null) Assert.Same(condition, Assert.Single(stop.Hits, h => h.Condition == condition).Condition);
            }
        }
        Assert.InRange(found, 9, conditions.Length);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("chaos")]
    public void The_last_and_next_write_are_those_of_brute_force(string name)
    {
        RecordingFile recording = recordings[name];
        using var timeline = new Timeline(recording, new TimelineOptions { MaxParallelism = 2 });
        var random = new Random(5);
        PageMap[] first = recording.CheckpointStore.Load(0).Maps, last = recording.CheckpointStore.Load(recording.Checkpoints.Count - 1).Maps;
        int[] changed = [.. Enumerable.Range(0, first[0].Length).Where(i => first[0][i] != last[0][i])];
        for (int round = 0; round < 8; round++)
        {
            ulong address = (ulong)changed[random.Next(changed.Length)] * PagedMemory.PageSizeBytes + (ulong)random.Next(500) * 8;
            List<Position> writes = BruteForce(recording, StopCondition.Watch(address, 8, WatchAccess.Write, isPhysical: true));
            foreach (Position from in (Position[])[recording.End, new Position(recording.End.InstructionCount / 3), Position.Start])
            {
                timeline.Seek(from);
                Position? expected = writes.Where(w => w < from).Cast<Position?>().LastOrDefault();
                MachineEvent? write = timeline.LastWrite(address, 8, isPhysical: true);
                Assert.Equal(expected, write?.At);
                Assert.Equal(expected ?? from, timeline.Position);
                timeline.Seek(from);
                expected = writes.Where(w => w > from).Cast<Position?>().FirstOrDefault();
                write = timeline.NextWrite(address, 8, isPhysical: true);
                Assert.Equal(expected, write?.At);
                Assert.Equal(expected ?? from, timeline.Position);
            }
        }
    }

    [Fact]
    public void A_diversion_changes_nothing_of_the_timeline()
    {
        using var timeline = new Timeline(recordings.Plain);
        timeline.Seek(new Position(900_000));
        StateDigest before = timeline.Digest();
        using (Diversion diversion = timeline.Divert())
        {
            Assert.Equal(timeline.Position, diversion.Machine.Position);
            Assert.Equal(timeline.Machine.Vcpus[0].State.Rip, diversion.Machine.Vcpus[0].State.Rip);
            // The timeline moves on while the diversion lives.
            timeline.Seek(new Position(100_000));
            diversion.Machine.Memory.Write<ulong>(new GuestPhysicalAddress(0x200000), 0xDEAD);
            diversion.Machine.Vcpus[0].State.Rax = 5;
            diversion.Machine.Run(ulong.MaxValue);
            Assert.NotEqual(OutcomeKind.None, diversion.Machine.Outcome.Kind);
            Assert.Contains("deposits", System.Text.Encoding.ASCII.GetString(diversion.Output()), StringComparison.Ordinal);
        }
        timeline.Seek(new Position(900_000));
        Assert.Equal(before, timeline.Digest());
    }

    [Fact]
    public void A_cancelled_movement_stays_where_it_was()
    {
        using var timeline = new Timeline(recordings.Plain);
        timeline.Seek(new Position(1000));
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        Assert.Throws<OperationCanceledException>(() => timeline.Seek(timeline.End, null, cancellation.Token));
        Assert.Equal(new Position(1000), timeline.Position);
        Assert.Throws<OperationCanceledException>(() => timeline.Continue([StopCondition.Msr(0x12345)], null, cancellation.Token));
        Assert.Equal(new Position(1000), timeline.Position);
        timeline.Seek(timeline.End);
        Assert.Throws<OperationCanceledException>(() => timeline.ReverseContinue([StopCondition.Msr(0x12345)], null, cancellation.Token));
        Assert.Equal(timeline.End, timeline.Position);
    }

    [Fact]
    public void Several_conditions_at_one_place_are_all_told()
    {
        using var timeline = new Timeline(recordings.Plain);
        StopCondition port = StopCondition.Port(0x3F8, AccessDirection.Write);
        timeline.Seek(new Position(600_000));
        timeline.Continue([port]);
        ulong rip = timeline.Machine.Vcpus[0].State.Rip;
        Position at = timeline.Position;
        StopCondition breakpoint = StopCondition.Breakpoint(rip);
        timeline.Seek(new Position(600_000));
        TimelineStop stop = timeline.Continue([port, breakpoint]);
        Assert.Equal(at, stop.Position);
        Assert.Equal([breakpoint, port], stop.Hits.Select(h => h.Condition));
        timeline.StepForward();
        stop = timeline.ReverseContinue([port, breakpoint]);
        Assert.Equal(at, stop.Position);
        Assert.Equal([breakpoint, port], stop.Hits.Select(h => h.Condition));
    }

    // One step at a time from the start to the end, with no snapshots, intervals or slices: positions are those of the machine before the
    // step that did it.
    private static List<Position> BruteForce(RecordingFile recording, StopCondition condition)
    {
        var hits = new List<Position>();
        if (condition.Kind == StopConditionKind.ConsoleText)
        {
            for (ConsoleOutput? found = recording.Console.Find(condition.Text, Position.Start, reverse: false); found is { } output;
                found = recording.Console.Find(condition.Text, output.At, reverse: false)) hits.Add(output.At);
            return hits;
        }
        using var timeline = new Timeline(recording);
        var observer = new ConditionObserver([condition]);
        observer.ArmForLast(timeline.Machine, Position.Start, new Position(ulong.MaxValue));
        while (timeline.Position < recording.End)
        {
            Position at = timeline.Position;
            timeline.Machine.Step();
            if (observer.Hits.Count == 0 || (hits.Count > 0 && observer.Hits[0].Event.At == hits[^1])) continue;
            Assert.Equal(at, observer.Hits[0].Event.At);
            hits.Add(at);
        }
        observer.Disarm();
        return hits;
    }
}
