using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Calls;

/// <summary>Calls in the order of their entries.</summary>
/// <param name="Calls">All, or the first ones.</param>
/// <param name="IsCut">There are more than were asked for.</param>
public sealed record CallList(IReadOnlyList<FunctionCall> Calls, bool IsCut);

/// <summary>
/// Finds the calls of functions in a recording: when, from where, with what, and what they returned. Intervals between checkpoints are replayed on all cores; calls that last
/// over several are put together afterwards. The timeline's cursor stays. A cancelled search throws <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class CallSearch
{
    private readonly Timeline _timeline;
    private readonly CallQuery _query;

    /// <param name="timeline">The recording.</param>
    /// <param name="targets">The functions.</param>
    /// <param name="reader">How arguments are read.</param>
    /// <param name="condition">Only calls of which this is true; null: all.</param>
    public CallSearch(Timeline timeline, IReadOnlyList<CallTarget> targets, CallValueReader reader, ICallCondition? condition = null)
    {
        _timeline = timeline;
        _query = new CallQuery(targets, reader, condition);
    }

    /// <summary>The calls that are entered in a range. Their returns are looked for up to its end.</summary>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="progress">Of the search.</param>
    /// <param name="cancellation">Ends it.</param>
    public CallList List(Position from, Position before, int limit, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) =>
        List(from, before, before, limit, progress, cancellation);

    /// <summary>The calls that are entered in a part of a range. Their returns are looked for up to the range's end.</summary>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not: an interval begins there.</param>
    /// <param name="end">The range's end.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="progress">Of the search.</param>
    /// <param name="cancellation">Ends it.</param>
    public CallList List(Position from, Position before, Position end, int limit, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        // One more tells whether there are more.
        int wanted = limit == int.MaxValue ? limit : limit + 1;
        var merger = new CallMerger(_timeline.Intervals, _query, wanted, []) { EntriesBefore = before };
        IReadOnlyList<ReplayInterval> intervals = _timeline.Intervals.IntervalsOf(from, end);
        merger.Run(intervals, WantedCalls.First, progress, cancellation);
        List<FunctionCall> calls = merger.Calls;
        bool isCut = calls.Count > limit;
        if (isCut) calls.RemoveRange(limit, calls.Count - limit);
        return new CallList(calls, isCut);
    }

    /// <summary>The first call that is entered after a position; its return is looked for up to the recording's end. Null: there is none.</summary>
    public FunctionCall? Next(Position after, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        var merger = new CallMerger(_timeline.Intervals, _query, 1, []);
        var from = new Position(after.InstructionCount, after.EventOrdinal + 1);
        merger.Run(_timeline.Intervals.IntervalsOf(from, _timeline.End), WantedCalls.First, progress, cancellation);
        return merger.Calls.Count > 0 ? merger.Calls[0] : null;
    }

    /// <summary>The last call that is entered before a position; its return is looked for up to the recording's end. Null: there is none.</summary>
    public FunctionCall? Last(Position before, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        IntervalScan scan = _timeline.Intervals;
        var intervals = new List<ReplayInterval>(scan.IntervalsOf(_timeline.Start, before));
        intervals.Reverse();
        FunctionCall? last = null;
        scan.Run(intervals, () => new CallVisitor(_query, WantedCalls.Last, int.MaxValue, []), (index, found) =>
        {
            // Whether a call is wanted may only be known when it has returned.
            if (_query.NeedsResult && found.Open.Count > 0) Follow(found.Open, intervals[index].To, null, cancellation);
            foreach (FunctionCall call in found.Calls)
                if (!call.IsRejected && !(_query.NeedsResult && call.End != CallEnd.Returned)) last = call;
            return last is null;
        }, progress, cancellation);
        if (last is { End: CallEnd.Open })
        {
            // It stands in the last interval that was looked at.
            foreach (ReplayInterval interval in intervals)
                if (last.Entry >= interval.Start && last.Entry < interval.To) Follow([last], interval.To, progress, cancellation);
        }
        return last;
    }

    // Looks for the returns of calls that are open at a position.
    private void Follow(List<FunctionCall> calls, Position from, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        var merger = new CallMerger(_timeline.Intervals, _query, 0, calls);
        foreach (FunctionCall call in calls) _query.Sites.Add(call.ReturnAddress);
        merger.Run(_timeline.Intervals.IntervalsOf(from, _timeline.End), WantedCalls.None, progress, cancellation);
    }
}
