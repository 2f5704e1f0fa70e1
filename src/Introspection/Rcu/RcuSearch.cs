using System;
using System.Threading;
using Introspection.History;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>What one can go to.</summary>
public enum RcuMoment
{
    /// <summary>A published pointer is changed.</summary>
    Publication,
    /// <summary>A reader has begun its critical section.</summary>
    ReaderEnters,
    /// <summary>It is about to end it.</summary>
    ReaderLeaves,
    /// <summary>Something is given to be freed later.</summary>
    Deferral,
    /// <summary>Something is freed.</summary>
    Release,
    /// <summary>A grace period begins.</summary>
    GracePeriodBegins,
    /// <summary>It ends.</summary>
    GracePeriodEnds,
}

/// <summary>What happens at a moment.</summary>
/// <param name="At">When.</param>
/// <param name="CpuIndex">Who does it.</param>
/// <param name="Task">0: unknown.</param>
/// <param name="Code">Return address of a call; the instruction of a write.</param>
/// <param name="Pointer">What is published, given or freed; of a publication where the pointer is.</param>
/// <param name="Old">Before a write.</param>
/// <param name="New">After it; of grace periods their number.</param>
public sealed record RcuOccurrence(Position At, int CpuIndex, ulong Task, ulong Code, ulong Pointer, ulong Old, ulong New);

/// <summary>Goes from moment to moment of read-copy-update, in both directions.</summary>
/// <param name="Moment">What is looked for.</param>
/// <param name="Pointer">Only this one; null: any.</param>
/// <param name="CpuIndex">Only by this vCPU; null: any.</param>
public sealed record RcuSearch(RcuMoment Moment, ulong? Pointer = null, int? CpuIndex = null)
{
    /// <summary>The next or the last one from the timeline's position on; null: there is none. The cursor stays.</summary>
    public RcuOccurrence? Find(Timeline timeline, GuestRcu rcu, bool isForward, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        int bits = rcu.Layout.State?.StateBits ?? 0, idle = rcu.Layout.State?.IdleDifference ?? 0;
        ulong mask = (1UL << bits) - 1;
        bool watchesMemory = Moment is RcuMoment.Publication or RcuMoment.GracePeriodBegins or RcuMoment.GracePeriodEnds;
        RcuEvent? found = NearestEvent.Find(timeline, isForward, () => new RcuVisitor(rcu, watchesMemory), static e => e.At, IsWanted, progress, cancellation);
        return found is { } e ? new RcuOccurrence(e.At, e.CpuIndex, e.Task, e.Code, e.Address, e.Old, NumberOf(e)) : null;

        bool IsWanted(RcuEvent e) => (Pointer is null || e.Address == Pointer) && (CpuIndex is null || e.CpuIndex == CpuIndex) && Moment switch
        {
            RcuMoment.Publication => e.Step == RcuStep.Publish && e.Old != e.New,
            RcuMoment.ReaderEnters => e.Step == RcuStep.ReadLock,
            RcuMoment.ReaderLeaves => e.Step == RcuStep.ReadUnlock,
            RcuMoment.Deferral => e.Step == RcuStep.Defer,
            RcuMoment.Release => e.Step == RcuStep.Free,
            RcuMoment.GracePeriodBegins => (e.Step == RcuStep.Current && e.New > e.Old) || (e.Step == RcuStep.Sequence && (e.Old & mask) == 0 && (e.New & mask) != 0),
            _ => (e.Step == RcuStep.Completed && e.New > e.Old) || (e.Step == RcuStep.Sequence && (e.Old & mask) != 0 && (e.New & mask) == 0),
        };

        ulong NumberOf(in RcuEvent e) => e.Step switch
        {
            RcuStep.Completed => e.New + (ulong)idle,
            RcuStep.Sequence => (ulong)((long)e.New >> bits) + (Moment == RcuMoment.GracePeriodBegins ? 1UL : 0),
            _ => e.New,
        };
    }
}
