using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Messages;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>A stretch of a recording that is replayed from a snapshot.</summary>
/// <param name="From">Where the snapshot stands.</param>
/// <param name="To">Where the next stretch begins.</param>
/// <param name="Snapshot">The snapshot, if it is in memory.</param>
/// <param name="CheckpointIndex">The checkpoint, if not.</param>
internal readonly record struct ScanInterval(Position From, Position To, MachineSnapshot? Snapshot, int CheckpointIndex);

/// <summary>Looks for the last hit in one stretch after the other, on one machine. One thread's.</summary>
internal interface IIntervalScan<out T> where T : class
{
    /// <summary>How many intervals that follow each other are worth being looked at in one piece, at most.</summary>
    int LongestRun { get; }

    /// <summary>The last hit of a stretch; null: none, or it was ended.</summary>
    /// <param name="session">Stands at the stretch's beginning.</param>
    /// <param name="interval">The stretch.</param>
    /// <param name="start">Puts the session at the beginning again.</param>
    /// <param name="afterSlice">To be called now and then with the instructions done since; false: end.</param>
    T? Scan(ReplaySession session, in ScanInterval interval, Action start, Func<ulong, bool> afterSlice);

    /// <summary>Leaves the machine as if nobody had looked.</summary>
    void Disarm();
}

/// <summary>
/// Finds the last hit before a position: intervals between snapshots are taken from the latest to the earliest, each run forwards, several
/// at a time on machines of their own. Threads: the caller's reports progress and waits; each worker has a session to itself and shares
/// only the counters below, under the lock.
/// </summary>
internal sealed class ReverseScan<T> where T : class
{
    private const int ReportMilliseconds = 50;
    private readonly IReadOnlyList<ScanInterval> _intervals;
    private readonly Func<IIntervalScan<T>> _makeScan;
    private readonly SessionPool _sessions;
    private readonly CheckpointStore _checkpoints;
    private readonly ILogger _log;
    private readonly CancellationToken _cancellation;
    private readonly Lock _gate = new();
    private int _next;
    private int _found = int.MaxValue;
    private T? _hit;
    private ulong _done;
    private bool _failed;

    /// <param name="intervals">From the latest to the earliest.</param>
    /// <param name="makeScan">Makes what looks, one for each worker.</param>
    /// <param name="sessions">Machines.</param>
    /// <param name="checkpoints">Where intervals without a snapshot begin.</param>
    /// <param name="log">Is told of it.</param>
    /// <param name="cancellation">Ends the scan with <see cref="OperationCanceledException"/>.</param>
    public ReverseScan(IReadOnlyList<ScanInterval> intervals, Func<IIntervalScan<T>> makeScan, SessionPool sessions, CheckpointStore checkpoints, ILogger log,
        CancellationToken cancellation)
    {
        _intervals = intervals;
        _makeScan = makeScan;
        _sessions = sessions;
        _checkpoints = checkpoints;
        _log = log;
        _cancellation = cancellation;
    }

    /// <summary>The last hit; null: nowhere.</summary>
    public T? Run(int parallelism, IProgress<TimelineProgress>? progress)
    {
        if (_intervals.Count == 0) return null;
        ulong total = 0;
        foreach (ScanInterval interval in _intervals) total += interval.To.InstructionCount - interval.From.InstructionCount;
        var workers = new Task[Math.Clamp(parallelism, 1, _intervals.Count)];
        var runs = new GrowingRuns(workers.Length);
        _log.ReverseScanBegins(_intervals.Count, _intervals[^1].From, _intervals[0].To, workers.Length);
        for (int i = 0; i < workers.Length; i++)
            workers[i] = Task.Factory.StartNew(() => Work(runs), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (!Task.WaitAll(workers, ReportMilliseconds,
                CancellationToken.None)) progress?.Report(new TimelineProgress(Volatile.Read(ref _done), total));
        }
        catch (AggregateException e)
        {
            // One cause is enough for a message; the others are consequences or the same.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
        _log.ReverseScanEnds(_hit is not null, _next, _done);
        _cancellation.ThrowIfCancellationRequested();
        return _hit;
    }

    private void Work(GrowingRuns runs)
    {
        ReplaySession session = _sessions.Rent();
        IIntervalScan<T> scan = _makeScan();
        bool good = false;
        try
        {
            while (TryTake(runs, scan.LongestRun, out int index, out ScanInterval interval)) ScanOne(session, scan, index, interval);
            good = true;
        }
        finally
        {
            scan.Disarm();
            if (good) _sessions.Return(session);
            else
            {
                lock (_gate) _failed = true;
                session.Dispose();
            }
        }
    }

    /// <summary>What a worker looks at next, in one piece.</summary>
    /// <param name="runs">Says how many intervals.</param>
    /// <param name="longest">How many at most.</param>
    /// <param name="index">The number of the latest one.</param>
    /// <param name="interval">All of them.</param>
    private bool TryTake(GrowingRuns runs, int longest, out int index, out ScanInterval interval)
    {
        lock (_gate)
        {
            index = _next;
            interval = default;
            if (_failed || _next >= Math.Min(_found, _intervals.Count) || _cancellation.IsCancellationRequested) return false;
            int wanted = runs.Next(_intervals.Count - _next, longest);
            interval = _intervals[_next++];
            // Where nothing lies in between.
            for (int i = 1; i < wanted && _intervals[_next].To == interval.From; i++) interval = _intervals[_next++] with { To = interval.To };
            return true;
        }
    }

    private void ScanOne(ReplaySession session, IIntervalScan<T> scan, int index, ScanInterval interval)
    {
        scan.Disarm();
        void Start() => session.Restore(interval.Snapshot ?? _checkpoints.Load(interval.CheckpointIndex));
        Start();
        T? hit = scan.Scan(session, interval, Start, done =>
        {
            lock (_gate)
            {
                _done += done;
                // A later interval had a hit: this one does not matter any more.
                return _found > index && !_failed && !_cancellation.IsCancellationRequested;
            }
        });
        if (hit is null) return;
        lock (_gate)
        {
            if (index >= _found) return;
            _found = index;
            _hit = hit;
        }
    }
}
