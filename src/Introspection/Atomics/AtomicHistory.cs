using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.Locks.Tasks;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Atomics;

/// <summary>
/// The past of a word that is changed without a lock: every compare-and-swap, exchange, locked update and plain store, who won and who tried again. Found by replaying with a watch on
/// it; nothing is recorded for it.
/// </summary>
public sealed class AtomicHistory
{
    private AtomicHistory(AtomicTarget target, IReadOnlyList<AtomicAttempt> attempts, bool isCut) => (Target, Attempts, IsCut) = (target, attempts, isCut);

    public AtomicTarget Target { get; }

    /// <summary>By position; plain loads are not among them.</summary>
    public IReadOnlyList<AtomicAttempt> Attempts { get; }

    /// <summary>There are more than were asked for.</summary>
    public bool IsCut { get; }

    /// <summary>Replays a stretch on all cores. The timeline's cursor stays. A cancelled one throws <see cref="OperationCanceledException"/>.</summary>
    /// <param name="timeline">The recording.</param>
    /// <param name="target">The word.</param>
    /// <param name="tasks">What vCPUs run.</param>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="limit">At most so many attempts, the first ones.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The word has no size that one can be swapped with.</exception>
    public static AtomicHistory Read(Timeline timeline, AtomicTarget target, ICurrentTask tasks, Position from, Position before, int limit = int.MaxValue,
        IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(target.SizeBytes, 1, nameof(target));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(target.SizeBytes, AtomicTarget.MaximumBytes, nameof(target));
        var collector = new Collector(target, limit);
        timeline.Intervals.Run(timeline.Intervals.IntervalsOf(from, before), () => new AtomicVisitor(target, tasks), (_, accesses) =>
            collector.TryAdd(accesses), progress, cancellation);
        return collector.History;
    }

    /// <summary>The past of a word by what was seen in all parts of a range.</summary>
    /// <param name="target">The word.</param>
    /// <param name="parts">In order.</param>
    /// <param name="limit">At most so many attempts, the first ones.</param>
    public static AtomicHistory Of(AtomicTarget target, IEnumerable<AtomicAccessLog> parts, int limit)
    {
        var collector = new Collector(target, limit);
        foreach (AtomicAccessLog part in parts)
            if (!collector.TryAdd(part.Accesses)) break;
        return collector.History;
    }

    /// <summary>Makes attempts of accesses, which come in order.</summary>
    private sealed class Collector(AtomicTarget target, int limit)
    {
        private readonly AtomicTracker _tracker = new(target);
        private readonly List<AtomicAttempt> _attempts = [];
        private bool _isCut;

        public AtomicHistory History => new(target, _attempts, _isCut);

        /// <summary>False: there are more than are wanted.</summary>
        public bool TryAdd(IReadOnlyList<AtomicAccess> accesses)
        {
            foreach (AtomicAccess access in accesses)
            {
                if (_tracker.Add(access) is not { } attempt) continue;
                _isCut = _attempts.Count >= limit;
                if (_isCut) return false;
                _attempts.Add(attempt);
            }
            return true;
        }
    }
}
