using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Gdb.Running;

/// <summary>
/// Moves along a recording as gdb asks: steps of one vCPU while the others run as they were recorded, breakpoints and watches, in both directions. Forwards a watch
/// stops behind the access, as the processor's debug registers do, and backwards before it: so gdb sees the value change in either direction.
/// </summary>
internal sealed class RecordedRun(Timeline timeline, BreakpointTable breakpoints)
{
    private readonly AccessRecorder _accesses = new(breakpoints);

    private int Current => timeline.Machine.CurrentCpuIndex;

    /// <summary>To the next stop. Interrupted, it stays about where it had come to.</summary>
    public StopReport Continue(CancellationToken cancellation)
    {
        List<StopCondition> conditions = breakpoints.Conditions();
        return Guard(conditions.Count > 0,
            progress => ForwardTo(conditions, true, progress, cancellation) ?? new StopReport(StopKind.End, Current), cancellation);
    }

    /// <summary>To the last stop before. Interrupted, it stays where it began: a search backwards is in many places at once.</summary>
    public StopReport ReverseContinue(CancellationToken cancellation)
    {
        List<StopCondition> conditions = breakpoints.Conditions();
        return Guard(false,
            progress => BackTo(conditions, progress, cancellation) ?? new StopReport(StopKind.Start, Current), cancellation);
    }

    /// <summary>One step of a vCPU.</summary>
    /// <param name="cpuIndex">Which.</param>
    /// <param name="stopsForOthers">Whether what other vCPUs do meanwhile may stop it.</param>
    /// <param name="cancellation">The user's.</param>
    public StopReport Step(int cpuIndex, bool stopsForOthers, CancellationToken cancellation) => Guard(false, progress =>
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Current != cpuIndex)
            {
                List<StopCondition> conditions = stopsForOthers ? breakpoints.Conditions() : [];
                conditions.Add(StopCondition.Schedule(toCpuIndex: cpuIndex));
                StopReport? other = ForwardTo(conditions, stopsForOthers, progress, cancellation);
                if (other is null) return new StopReport(StopKind.End, cpuIndex);
                if (other.Value.Kind != StopKind.Step) return other.Value;
            }
            VcpuMark before = VcpuMark.Of(timeline.Machine, cpuIndex);
            bool wasCurrent = Current == cpuIndex;
            if (timeline.Position >= timeline.End) return new StopReport(StopKind.End, cpuIndex);
            StopReport? access = StepOnce();
            if (wasCurrent && before != VcpuMark.Of(timeline.Machine, cpuIndex)) return access ?? new StopReport(StopKind.Step, cpuIndex);
        }
    }, cancellation);

    /// <summary>One step of a vCPU backwards.</summary>
    public StopReport ReverseStep(int cpuIndex, bool stopsForOthers, CancellationToken cancellation) => Guard(false, progress =>
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            VcpuMark after = VcpuMark.Of(timeline.Machine, cpuIndex);
            if (timeline.StepBack(1, null, CancellationToken.None).Reason == TimelineStopReason.Start) return new StopReport(StopKind.Start, cpuIndex);
            if (Current == cpuIndex)
            {
                if (after != VcpuMark.Of(timeline.Machine, cpuIndex)) return AccessOfNext() ?? new StopReport(StopKind.Step, cpuIndex);
                continue;
            }
            // Others had their turns: back to the end of this vCPU's last one.
            timeline.StepForward(1, null, CancellationToken.None);
            List<StopCondition> conditions = stopsForOthers ? breakpoints.Conditions() : [];
            conditions.Add(StopCondition.Schedule() with { CpuIndex = cpuIndex });
            StopReport? other = BackTo(conditions, progress, cancellation);
            if (other is null) return new StopReport(StopKind.Start, cpuIndex);
            if (other.Value.Kind != StopKind.Step) return other.Value;
        }
    }, cancellation);

    // Null: nothing up to the end. A step: only the change of turns was met.
    private StopReport? ForwardTo(List<StopCondition> conditions, bool looksAtBreakpoints, IProgress<TimelineProgress> progress,
        CancellationToken cancellation)
    {
        // A timeline looks for what lies behind the cursor, but an access right at it, where going back has stopped, is still to come.
        Position origin = timeline.Position;
        if (looksAtBreakpoints && breakpoints.HasWatches)
        {
            if (StepOnce() is { } next) return next;
            timeline.Seek(origin, null, CancellationToken.None);
        }
        TimelineStop stop = timeline.Continue(conditions, progress, cancellation);
        if (stop.Reason != TimelineStopReason.Hit) return null;
        if (First(stop.Hits, MachineEventKind.Execute) is { } execution) return execution;
        StopReport? access = First(stop.Hits, MachineEventKind.Write) ?? First(stop.Hits, MachineEventKind.Read);
        if (access is null) return new StopReport(StopKind.Step, Current);
        timeline.StepForward(1, null, CancellationToken.None);
        return access;
    }

    private StopReport? BackTo(List<StopCondition> conditions, IProgress<TimelineProgress> progress, CancellationToken cancellation)
    {
        TimelineStop stop = timeline.ReverseContinue(conditions, progress, cancellation);
        if (stop.Reason != TimelineStopReason.Hit) return null;
        // A breakpoint at the same place gdb sees by itself; a watch it must be told.
        return First(stop.Hits, MachineEventKind.Write) ?? First(stop.Hits, MachineEventKind.Read) ?? First(stop.Hits, MachineEventKind.Execute)
            ?? new StopReport(StopKind.Step, Current);
    }

    private StopReport? First(IReadOnlyList<QueryHit> hits, MachineEventKind kind)
    {
        foreach (QueryHit hit in hits)
            if (hit.Event.Kind == kind && breakpoints.Report(hit.Event) is { } report) return report;
        return null;
    }

    private StopReport? StepOnce()
    {
        if (!breakpoints.HasWatches)
        {
            timeline.StepForward();
            return null;
        }
        _accesses.Attach(timeline.Machine);
        try
        {
            timeline.StepForward();
        }
        finally
        {
            AccessRecorder.Detach(timeline.Machine);
        }
        return _accesses.First;
    }

    // What the transition that comes next will access, which going back has just undone.
    private StopReport? AccessOfNext()
    {
        if (!breakpoints.HasWatches) return null;
        StopReport? access = StepOnce();
        timeline.StepBack();
        return access;
    }

    private StopReport Guard(bool goesOnWhenInterrupted, Func<IProgress<TimelineProgress>, StopReport> run, CancellationToken cancellation)
    {
        Position origin = timeline.Position;
        var progress = new LastProgress();
        try
        {
            return run(progress);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            ulong reached = Math.Min(origin.InstructionCount + progress.Done, timeline.End.InstructionCount);
            if (goesOnWhenInterrupted && reached > origin.InstructionCount) timeline.Seek(new Position(reached), null, CancellationToken.None);
            else timeline.Seek(origin, null, CancellationToken.None);
            return new StopReport(StopKind.Interrupted, Current);
        }
    }

    private sealed class LastProgress : IProgress<TimelineProgress>
    {
        public ulong Done { get; private set; }

        public void Report(TimelineProgress value) => Done = value.DoneInstructions;
    }
}
