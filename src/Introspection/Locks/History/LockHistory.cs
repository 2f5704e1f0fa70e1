using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.History;
using Introspection.Locks.Tasks;
using Replay.Packages;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>How much of a history is kept.</summary>
public sealed record LockHistoryOptions
{
    /// <summary>Uses that are kept of all locks together; behind that, locks keep only their totals.</summary>
    public int MaximumUses { get; init; } = 500_000;

    /// <summary>The locks whose uses are kept, by address; null: all.</summary>
    public IReadOnlySet<ulong>? Locks { get; init; }

    internal bool Wants(ulong address) => Locks is null || Locks.Contains(address);
}

/// <summary>
/// The past of all declared locks in a stretch of a recording: who wanted, held and gave back which one when, and what was wrong with it. Found by replaying with breakpoints on the
/// functions that take and give back locks; the guest is not changed, and nothing is recorded for it.
/// </summary>
public sealed class LockHistory
{
    private readonly IReadOnlyDictionary<ulong, LockRecord> _locks;
    private readonly LockUseIndex _index;
    private readonly LockOrder _order;

    internal LockHistory(LockTracker tracker, IReadOnlyList<LockFinding> findings, Position from, Position before) =>
        (_locks, _index, _order, Findings, From, Before) = (tracker.Locks, tracker.Index, tracker.Order, findings, from, before);

    /// <summary>The stretch: from this position on.</summary>
    public Position From { get; }

    /// <summary>The first position behind it.</summary>
    public Position Before { get; }

    /// <summary>Every lock that was used.</summary>
    public IEnumerable<LockRecord> Locks => _locks.Values;

    public int LockCount => _locks.Count;

    /// <summary>What was wrong, by position; each once a lock.</summary>
    public IReadOnlyList<LockFinding> Findings { get; }

    /// <summary>The first time that each lock was wanted while another was held.</summary>
    internal IEnumerable<(LockUse Held, LockUse Wanted)> Nestings => _order.Edges;

    /// <summary>A lock by its address; null: it was not used.</summary>
    public LockRecord? Find(ulong address) => _locks.TryGetValue(address, out LockRecord? record) ? record : null;

    /// <summary>Learns it in the background. Call <see cref="PastWorker{THistory}.Learn"/>.</summary>
    /// <param name="recording">Stays the caller's, and is in use until the worker is disposed of.</param>
    /// <param name="locks">Of the guest.</param>
    /// <param name="changed">More is known, or will never be. Called on the worker's thread.</param>
    /// <param name="turns">With whom the worker takes turns; null: with nobody.</param>
    public static PastWorker<LockHistory> Learner(RecordingFile recording, GuestLocks locks, Action changed, BackgroundTurns? turns = null) =>
        new(recording, "locks", new LockPast(recording, locks), changed, turns);

    /// <summary>The uses of all locks that hold one or wait for one at a position, in the order in which they wanted it.</summary>
    public IReadOnlyList<LockUse> UsesAt(Position at) => _index.At(at);

    /// <summary>Replays a stretch. The timeline's cursor stays. Threads: all cores. A cancelled one throws <see cref="OperationCanceledException"/>.</summary>
    /// <param name="timeline">The recording.</param>
    /// <param name="table">The functions.</param>
    /// <param name="tasks">What vCPUs run.</param>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="options">How much is kept.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it.</param>
    public static LockHistory Read(Timeline timeline, LockFunctionTable table, ICurrentTask tasks, Position from, Position before, LockHistoryOptions? options = null,
        IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        void Replay(LockTracker tracker)
        {
            if (!table.IsEmpty) timeline.Intervals.RunAll<LockEvent>(from, before, () => new LockVisitor(table, tasks), e => tracker.Add(e), progress, cancellation);
        }
        return Make(timeline, table, Replay, from, before, options, progress, cancellation);
    }

    /// <summary>The same, of what was noted before of the stretch's parts, in their order.</summary>
    internal static LockHistory Of(Timeline timeline, LockFunctionTable table, IReadOnlyList<LockEventLog> parts, Position from, Position before, LockHistoryOptions options,
        IProgress<TimelineProgress>? progress, CancellationToken cancellation) => Make(timeline, table, tracker =>
        {
            foreach (LockEventLog part in parts)
                foreach (LockEvent e in part.Events) tracker.Add(e);
        }, from, before, options, progress, cancellation);

    private static LockHistory Make(Timeline timeline, LockFunctionTable table, Action<LockTracker> feed, Position from, Position before, LockHistoryOptions? options,
        IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        var tracker = new LockTracker(table, options ?? new LockHistoryOptions(), from <= Position.Start);
        feed(tracker);
        FailAtEnd(tracker, timeline.Recording, before);
        LockLifetimes.RemoveUnrelated(tracker.Findings, table, (first, end, createVisitor, take) =>
            timeline.Intervals.Run(timeline.Intervals.IntervalsOf(first, end), createVisitor, (_, found) =>
            {
                take(found);
                return true;
            }, progress, cancellation));
        tracker.Findings.Sort(static (a, b) => a.At.CompareTo(b.At));
        return new LockHistory(tracker, tracker.Findings, from, before);
    }

    /// <summary>What is held when the guest fails is wrong, if the history goes so far.</summary>
    internal static void FailAtEnd(LockTracker tracker, RecordingFile recording, Position before)
    {
        // A guest that powers itself off may well hold locks.
        Outcome outcome = recording.Outcome;
        if (before >= recording.End && outcome.Kind is OutcomeKind.TripleFault or OutcomeKind.Halted or OutcomeKind.DebugExit && !IsGoodExit(outcome)) tracker.Fail(recording.End);
    }

    // Guests of ours, and of others' tests, end well with 0x10 in the debug-exit port.
    private static bool IsGoodExit(in Outcome outcome) => outcome is { Kind: OutcomeKind.DebugExit, Code: 0 or 0x10 };
}
