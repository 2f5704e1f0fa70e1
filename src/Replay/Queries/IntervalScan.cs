using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Messages;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>
/// Replays the intervals between checkpoints on all cores, each on its own, and hands on what visitors find in them in the intervals' order. The timeline's cursor
/// stays. Threads: each worker has a machine and a visitor to itself; the caller's thread takes the findings, and reports progress while it waits.
/// </summary>
public sealed class IntervalScan
{
    private const int ReportMilliseconds = 50;
    /// <summary>So many intervals are replayed in one piece at most.</summary>
    private const int LongestRun = 16;

    private readonly CheckpointStore _checkpoints;
    private readonly SessionPool _sessions;
    private readonly ILogger _log;
    private readonly int _parallelism;

    internal IntervalScan(CheckpointStore checkpoints, SessionPool sessions, ILogger log, int parallelism) =>
        (_checkpoints, _sessions, _log, _parallelism) = (checkpoints, sessions, log, parallelism);

    /// <summary>The intervals of a range, in order; empty where the range is.</summary>
    public IReadOnlyList<ReplayInterval> IntervalsOf(Position from, Position before)
    {
        var intervals = new List<ReplayInterval>();
        if (before <= from) return intervals;
        for (int i = _checkpoints.FindAtOrBefore(from); i < _checkpoints.Count && _checkpoints.PositionOf(i) < before; i++)
        {
            Position start = _checkpoints.PositionOf(i), next = i + 1 < _checkpoints.Count ? _checkpoints.PositionOf(i + 1) : before;
            if (next > before) next = before;
            if (next > start) intervals.Add(new ReplayInterval(i, start, start < from ? from : start, next));
        }
        return intervals;
    }

    /// <summary>Replays intervals.</summary>
    /// <param name="intervals">In the order in which they are replayed and their findings taken.</param>
    /// <param name="createVisitor">Makes one for each thread.</param>
    /// <param name="take">Gets an interval's number in the list and what was found, on the caller's thread. False: the others do not matter.</param>
    /// <param name="progress">Of all intervals: told behind each, and while one is waited for.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public void Run<T>(IReadOnlyList<ReplayInterval> intervals, Func<IIntervalVisitor<T>> createVisitor, Func<int, T, bool> take, IProgress<TimelineProgress>? progress,
        CancellationToken cancellation)
    {
        if (intervals.Count == 0) return;
        var workers = new Task[Math.Clamp(_parallelism, 1, intervals.Count)];
        var work = new Work<T>(this, intervals, new GrowingRuns(workers.Length), createVisitor, cancellation);
        _log.IntervalScanBegins(intervals.Count, intervals[0].Start, intervals[^1].To, workers.Length);
        for (int i = 0; i < workers.Length; i++)
            workers[i] = Task.Factory.StartNew(work.Do, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task all = Task.WhenAll(workers);
        try
        {
            for (int i = 0; i < intervals.Count && work.TryAwait(i, progress, out T? found); i++)
            {
                if (!take(i, found!)) break;
                work.Tell(progress);
            }
        }
        finally
        {
            work.Stop();
            // Unlike Wait, this does not throw what a worker has thrown.
            Task.WaitAny([all], CancellationToken.None);
        }
        _log.IntervalScanEnds(work.Done);
        if (all.Exception is { } failure) ExceptionDispatchInfo.Throw(failure.Flatten().InnerExceptions[0]);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Replays a range and takes every finding of it, in order.</summary>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="createVisitor">Makes one for each thread.</param>
    /// <param name="take">Gets one finding after the other, on the caller's thread.</param>
    /// <param name="progress">Of the range.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public void RunAll<T>(Position from, Position before, Func<IIntervalVisitor<IReadOnlyList<T>>> createVisitor, Action<T> take, IProgress<TimelineProgress>? progress,
        CancellationToken cancellation) => Run(IntervalsOf(from, before), createVisitor, (_, found) =>
        {
            foreach (T one in found) take(one);
            return true;
        }, progress, cancellation);

    private sealed class Work<T>(IntervalScan scan, IReadOnlyList<ReplayInterval> intervals, GrowingRuns runs, Func<IIntervalVisitor<T>> createVisitor, CancellationToken cancellation)
    {
        private readonly object _gate = new();
        private readonly (bool IsKnown, T? Found)[] _found = new (bool, T?)[intervals.Count];
        private readonly ulong _total = TotalOf(intervals);
        private int _next;
        private ulong _done;
        private volatile bool _stopped;

        /// <summary>Instructions replayed.</summary>
        public ulong Done => Volatile.Read(ref _done);

        public void Stop()
        {
            lock (_gate)
            {
                _stopped = true;
                Monitor.PulseAll(_gate);
            }
        }

        private static ulong TotalOf(IReadOnlyList<ReplayInterval> all)
        {
            ulong total = 0;
            foreach (ReplayInterval interval in all) total += interval.To.InstructionCount - interval.Start.InstructionCount;
            return total;
        }

        // False: a worker failed, or it was cancelled.
        public bool TryAwait(int index, IProgress<TimelineProgress>? progress, out T? found)
        {
            while (true)
            {
                lock (_gate)
                {
                    if (!_found[index].IsKnown && !_stopped) Monitor.Wait(_gate, ReportMilliseconds);
                    found = _found[index].Found;
                    if (_found[index].IsKnown)
                    {
                        _found[index].Found = default;
                        return true;
                    }
                    if (_stopped || cancellation.IsCancellationRequested) return false;
                }
                Tell(progress);
            }
        }

        public void Tell(IProgress<TimelineProgress>? progress) => progress?.Report(new TimelineProgress(Done, _total));

        public void Do()
        {
            ReplaySession session = scan._sessions.Rent();
            bool isGood = false;
            try
            {
                IIntervalVisitor<T> visitor = createVisitor();
                while (TryNext(out Range indexes)) Visit(session, visitor, indexes);
                isGood = true;
            }
            finally
            {
                if (isGood) scan._sessions.Return(session);
                else
                {
                    Stop();
                    session.Dispose();
                }
            }
        }

        /// <summary>What a worker replays next, in one piece.</summary>
        private bool TryNext(out Range indexes)
        {
            lock (_gate)
            {
                indexes = default;
                if (_stopped || cancellation.IsCancellationRequested || _next >= intervals.Count) return false;
                int count = runs.Next(intervals.Count - _next, LongestRun);
                indexes = _next..(_next + count);
                _next += count;
                return true;
            }
        }

        /// <summary>Replays them forwards, whatever their order in the list.</summary>
        private void Visit(ReplaySession session, IIntervalVisitor<T> visitor, Range indexes)
        {
            int first = indexes.Start.Value, count = indexes.End.Value - first;
            bool isBackwards = count > 1 && intervals[first].Start > intervals[first + 1].Start;
            ReplayInterval? before = null;
            for (int i = 0; i < count && !_stopped; i++)
            {
                int index = isBackwards ? first + count - 1 - i : first + i;
                ReplayInterval interval = intervals[index];
                // Behind the interval before it the machine is what its checkpoint is.
                bool isThere = before is { } last && last.Checkpoint + 1 == interval.Checkpoint && session.Machine.Position == interval.Start;
                if (!isThere) session.Restore(scan._checkpoints.Load(interval.Checkpoint));
                if (!TryVisit(session, visitor, index)) return;
                before = interval;
            }
        }

        /// <summary>False: it was cut short.</summary>
        private bool TryVisit(ReplaySession session, IIntervalVisitor<T> visitor, int index)
        {
            ReplayInterval interval = intervals[index];
            visitor.Begin(session.Machine, index, interval);
            bool isCut = false;
            T found;
            try
            {
                session.RunTo(interval.To, count =>
                {
                    Interlocked.Add(ref _done, count);
                    isCut = _stopped || cancellation.IsCancellationRequested;
                    return !isCut && visitor.GoOn();
                });
            }
            finally
            {
                found = visitor.End();
            }
            if (isCut) return false;
            lock (_gate)
            {
                _found[index] = (true, found);
                Monitor.PulseAll(_gate);
            }
            return true;
        }
    }
}
