using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.History;

/// <summary>Finds the next or the last thing of a kind from the timeline's position on, interval by interval on all cores. The cursor stays.</summary>
internal static class NearestEvent
{
    /// <summary>Null: there is none.</summary>
    /// <param name="timeline">The recording; its position does not count itself.</param>
    /// <param name="isForward">The next one, else the last.</param>
    /// <param name="createVisitor">Sees things in an interval.</param>
    /// <param name="positionOf">When one happens.</param>
    /// <param name="isWanted">It is of the kind.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public static TEvent? Find<TEvent>(Timeline timeline, bool isForward, Func<IIntervalVisitor<List<TEvent>>> createVisitor, Func<TEvent, Position> positionOf,
        Func<TEvent, bool> isWanted, IProgress<TimelineProgress>? progress, CancellationToken cancellation) where TEvent : struct
    {
        Position here = timeline.Position;
        var intervals = new List<ReplayInterval>(isForward ? timeline.Intervals.IntervalsOf(here, timeline.End) : timeline.Intervals.IntervalsOf(timeline.Start, here));
        if (!isForward) intervals.Reverse();
        TEvent? found = null;
        timeline.Intervals.Run(intervals, createVisitor, (_, events) =>
        {
            int index = isForward ? events.FindIndex(e => positionOf(e) > here && isWanted(e)) : events.FindLastIndex(e => positionOf(e) < here && isWanted(e));
            if (index >= 0) found = events[index];
            return index < 0;
        }, progress, cancellation);
        return found;
    }
}
