using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.History;
using Replay.Checkpoints;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>The request of our own for what happened in a window of the recording. It answers at once with what is known.</summary>
internal sealed class HistoryRequests
{
    private const int DefaultBuckets = 200, MaximumBuckets = 4_000;

    private readonly Session _session;

    public HistoryRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmTimelineArguments>("ttvm/timeline", Describe);
    }

    private Answer Describe(TtvmTimelineArguments arguments)
    {
        Position end = _session.Recording.End;
        ulong from = arguments.From is { } first ? _session.ParsePosition(first).InstructionCount : 0;
        ulong to = arguments.To is { } last ? _session.ParsePosition(last).InstructionCount : end.InstructionCount;
        if (to < from) throw new RequestException("the window ends before it begins");
        // An empty recording, or a window of no width, still has a bucket.
        to = Math.Max(to, from + 1);
        int count = (int)Math.Clamp(arguments.BucketCount ?? DefaultBuckets, 1, MaximumBuckets);
        if ((ulong)count > to - from) count = (int)(to - from);
        HistoryWindow window = _session.History.Describe(from, to, count);
        var buckets = new List<TtvmTimelineBucket>(count);
        foreach (HistoryBucket bucket in window.Buckets)
        {
            buckets.Add(new TtvmTimelineBucket
            {
                IsKnown = bucket.IsKnown, Instructions = bucket.Instructions, Exceptions = bucket.Exceptions, Interrupts = bucket.Interrupts, SystemCalls = bucket.SystemCalls,
                ContextSwitches = bucket.ContextSwitches,
            });
        }
        return Answer.Of(new TtvmTimeline
        {
            Start = _session.Recording.Start.ToString(), End = end.ToString(), From = from, To = to, FromNanoseconds = NanosecondsAt(from), ToNanoseconds = NanosecondsAt(to),
            CpuCount = _session.Recording.Configuration.CpuCount, Buckets = buckets, Markers = new TimelineMarkers(_session).Between(from, to, count, window.Events),
            IsComplete = window.IsComplete,
        });
    }

    // Exact at checkpoints, and in between as if time passed evenly; behind the last, a nanosecond an instruction.
    private ulong NanosecondsAt(ulong count)
    {
        IReadOnlyList<CheckpointInfo> checkpoints = _session.Recording.Checkpoints;
        int low = 0, high = checkpoints.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (checkpoints[middle].Position.InstructionCount <= count) low = middle;
            else high = middle - 1;
        }
        ulong from = checkpoints[low].Position.InstructionCount, nanoseconds = checkpoints[low].GuestNanoseconds;
        if (low + 1 >= checkpoints.Count) return nanoseconds + (count - from);
        ulong length = checkpoints[low + 1].Position.InstructionCount - from, passes = checkpoints[low + 1].GuestNanoseconds - nanoseconds;
        return length == 0 ? nanoseconds : nanoseconds + (ulong)((UInt128)passes * (count - from) / length);
    }
}
