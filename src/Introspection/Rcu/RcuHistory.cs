using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.History;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>A reader's critical section.</summary>
public sealed class RcuSection
{
    /// <summary>Where it began.</summary>
    public required int CpuIndex { get; init; }

    /// <summary>0: unknown.</summary>
    public required ulong Task { get; init; }

    /// <summary>The function that begins it returns.</summary>
    public required Position Begin { get; init; }

    /// <summary>Return address of the call that begins it.</summary>
    public required ulong Caller { get; init; }

    /// <summary>The function that ends it is entered; null: it has not been.</summary>
    public Position? End { get; internal set; }

    /// <summary>How deep others were nested in it.</summary>
    public int MaximumNesting { get; internal set; } = 1;

    /// <summary>Instructions on all vCPUs; null: it has not ended.</summary>
    public ulong? Instructions => End is { } end ? end.InstructionCount - Begin.InstructionCount : null;
}

/// <summary>A grace period.</summary>
/// <param name="Number">As the guest counts.</param>
/// <param name="Begin">Its number is written.</param>
/// <param name="End">It is written that it has ended; null: it has not.</param>
public sealed record RcuGracePeriod(long Number, Position Begin, Position? End);

/// <summary>A write of a published pointer that changed it.</summary>
/// <param name="At">Before the write.</param>
/// <param name="CpuIndex">Who wrote.</param>
/// <param name="Task">0: unknown.</param>
/// <param name="Code">The instruction.</param>
/// <param name="Name">Of the pointer.</param>
/// <param name="Address">Of the pointer.</param>
/// <param name="Old">The version that readers may still have.</param>
/// <param name="New">The version that they find from now on.</param>
public sealed record RcuPublication(Position At, int CpuIndex, ulong Task, ulong Code, string Name, ulong Address, ulong Old, ulong New);

/// <summary>Something was freed while a reader that began before it was unlinked was still inside its critical section.</summary>
/// <param name="At">The function that frees is entered.</param>
/// <param name="CpuIndex">Who frees.</param>
/// <param name="Task">0: unknown.</param>
/// <param name="Function">Entry of that function.</param>
/// <param name="Caller">Return address of its call.</param>
/// <param name="Pointer">What is freed.</param>
/// <param name="Unlinked">When it was given to be freed, or replaced in a published pointer.</param>
/// <param name="Readers">Who could still have it.</param>
public sealed record RcuFinding(Position At, int CpuIndex, ulong Task, ulong Function, ulong Caller, ulong Pointer, Position Unlinked, IReadOnlyList<RcuSection> Readers);

/// <summary>The past of read-copy-update in a stretch of a recording, by breakpoints on its functions and watches on its pointers; nothing is recorded for it.</summary>
public sealed class RcuHistory
{
    internal const int DefaultLimit = 500_000;

    internal RcuHistory() { }

    /// <summary>Learns it in the background. Call <see cref="PastWorker{THistory}.Learn"/>.</summary>
    /// <param name="recording">Stays the caller's, and is in use until the worker is disposed of.</param>
    /// <param name="rcu">What the guest has.</param>
    /// <param name="changed">More is known, or will never be. Called on the worker's thread.</param>
    /// <param name="turns">With whom the worker takes turns; null: with nobody.</param>
    public static PastWorker<RcuHistory> Learner(RecordingFile recording, GuestRcu rcu, Action changed, BackgroundTurns? turns = null) =>
        new(recording, "rcu", new RcuPast(rcu), changed, turns);

    /// <summary>By their beginnings; not all where <see cref="IsCut"/>.</summary>
    public IReadOnlyList<RcuSection> Sections { get; internal init; } = [];

    public IReadOnlyList<RcuGracePeriod> GracePeriods { get; internal init; } = [];

    public IReadOnlyList<RcuPublication> Publications { get; internal init; } = [];

    /// <summary>By position.</summary>
    public IReadOnlyList<RcuFinding> Findings { get; internal init; } = [];

    public long SectionCount { get; internal init; }
    public long DeferCount { get; internal init; }
    public long FreeCount { get; internal init; }

    /// <summary>The section that lasted longest; null: none has ended.</summary>
    public RcuSection? Longest { get; internal init; }

    /// <summary>There was more than is kept.</summary>
    public bool IsCut { get; internal init; }

    /// <summary>The readers of a moment with when and where the critical section began that each is in, as far as it is known.</summary>
    /// <param name="now">What memory says then.</param>
    /// <param name="at">The moment, which the history covers.</param>
    public IReadOnlyList<RcuReader> Readers(RcuView now, Position at)
    {
        var readers = new List<RcuReader>(now.Readers);
        int unknown = readers.Count;
        // In the order of their beginnings: the last one that is open is a vCPU's.
        for (int i = Sections.Count - 1; i >= 0 && unknown > 0; i--)
        {
            RcuSection section = Sections[i];
            if (section.Begin > at || section.End <= at) continue;
            int index = readers.FindIndex(reader => reader.Since is null && (reader.Task != 0 && section.Task != 0 ? reader.Task == section.Task : reader.CpuIndex == section.CpuIndex));
            if (index < 0) continue;
            readers[index] = readers[index] with { Since = section.Begin, Caller = section.Caller };
            unknown--;
        }
        return readers;
    }

    /// <summary>The last write before a moment of each published pointer, by its address.</summary>
    public IReadOnlyDictionary<ulong, RcuPublication> LastWrites(Position at)
    {
        var last = new Dictionary<ulong, RcuPublication>();
        foreach (RcuPublication one in Publications)
        {
            if (one.At >= at) break;
            last[one.Address] = one;
        }
        return last;
    }

    /// <summary>Replays a stretch on all cores. The timeline's cursor stays. A cancelled one throws <see cref="OperationCanceledException"/>.</summary>
    /// <param name="timeline">The recording.</param>
    /// <param name="rcu">What the guest has.</param>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="limit">So many sections, and so many publications, are kept.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it.</param>
    public static RcuHistory Read(Timeline timeline, GuestRcu rcu, Position from, Position before, int limit = DefaultLimit, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var tracker = new RcuTracker(rcu, limit);
        timeline.Intervals.RunAll<RcuEvent>(from, before, () => new RcuVisitor(rcu), e => tracker.Add(e), progress, cancellation);
        return tracker.Finish();
    }
}
