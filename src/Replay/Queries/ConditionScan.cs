using System;
using System.Collections.Generic;
using Replay.Replaying;

namespace Replay.Queries;

/// <summary>Scans for stop conditions: all that was met at the last position.</summary>
internal sealed class ConditionScan(IReadOnlyCollection<StopCondition> conditions) : IIntervalScan<IReadOnlyList<QueryHit>>
{
    private readonly ConditionObserver _observer = new(conditions);

    public int LongestRun => 64;

    public IReadOnlyList<QueryHit>? Scan(ReplaySession session, in ScanInterval interval, Action start, Func<ulong, bool> afterSlice)
    {
        _observer.ArmForLast(session.Machine, interval.From, interval.To);
        bool isWhole = session.RunTo(interval.To, afterSlice);
        return isWhole && _observer.Hits.Count > 0 ? [.. _observer.Hits] : null;
    }

    public void Disarm() => _observer.Disarm();
}
