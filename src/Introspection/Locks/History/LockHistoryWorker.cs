using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Introspection.History;
using Replay.Packages;
using Replay.Queries;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>
/// Learns the past of all locks of a recording by replaying it in the background, from the start. What is known so far can be read at any time. Threads: one of its own, below normal
/// priority, which rests while <see cref="Pause"/> holds; it shares with the caller only what is under the lock.
/// </summary>
public sealed class LockHistoryWorker : IDisposable
{
    // So many at once are added under the lock: a millisecond or so.
    private const int EventsPerTurn = 2_000;
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromMilliseconds(500);

    private readonly RecordingFile _recording;
    private readonly GuestLocks _locks;
    private readonly Action _changed;
    private readonly Lock _gate = new();
    private readonly BackgroundReplay _replay;
    private readonly LockTracker _tracker;
    private readonly Queue<ReplayInterval> _wanted = new();
    private readonly List<ReplayInterval> _all = [];
    private Position _known, _end;
    private IReadOnlyList<LockFinding> _findings = [];
    private bool _hasBegun, _isSettled, _isFindingSettled;

    /// <param name="recording">Stays the caller's, and is in use until this is disposed of.</param>
    /// <param name="locks">Of the guest.</param>
    /// <param name="changed">More is known, or will never be. Called on the worker's thread, now and then.</param>
    public LockHistoryWorker(RecordingFile recording, GuestLocks locks, Action changed)
    {
        (_recording, _locks, _changed) = (recording, locks, changed);
        _known = _end = recording.Start;
        _tracker = new LockTracker(locks.Functions, new LockHistoryOptions(), isFromStart: true);
        _replay = new BackgroundReplay(recording, "locks", Work, changed);
    }

    /// <summary>Why it has given up, in a sentence; null: it has not.</summary>
    public string? Failure => _replay.Failure;

    /// <summary>Whose past it is.</summary>
    public GuestLocks Locks => _locks;

    /// <summary>All of the recording, as it is now, is known.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate) return _isSettled;
        }
    }

    /// <summary>Before this position everything is known.</summary>
    public Position Known
    {
        get
        {
            lock (_gate) return _known;
        }
    }

    /// <summary>The caller needs the processor.</summary>
    public void Pause() => _replay.Pause();

    /// <summary>It does not any more.</summary>
    public void Resume() => _replay.Resume();

    /// <summary>Learns all of the recording as it is now. For the caller's thread, as often as it likes.</summary>
    public void Learn()
    {
        lock (_gate)
        {
            Position from = _end, end = _recording.End;
            if (Failure is not null || _wanted.Count > 0 || (_hasBegun && end == from)) return;
            (_hasBegun, _end, _isSettled) = (true, end, false);
            if (!_locks.Functions.IsEmpty)
            {
                foreach (ReplayInterval one in BackgroundReplay.IntervalsOf(_recording, from.InstructionCount, end.InstructionCount + 1))
                    if (one.To > from) _wanted.Enqueue(one with { From = one.Start < from ? from : one.Start });
                _all.AddRange(_wanted);
            }
            _replay.Begin();
        }
    }

    /// <summary>Reads what is known. It does not change meanwhile, and is not for later.</summary>
    public T Read<T>(Func<LockHistory, T> read)
    {
        lock (_gate) return read(new LockHistory(_tracker.Locks, Findings(), _recording.Start, _known));
    }

    public void Dispose() => _replay.Dispose();

    // Two opposite orders may be of different locks, which takes another replay to tell.
    private IReadOnlyList<LockFinding> Findings() =>
        _isFindingSettled ? _findings : [.. _tracker.Findings.FindAll(static one => one.Kind != LockFindingKind.OrderInversion)];

    private void Work(BackgroundReplay replay)
    {
        var visitor = new LockVisitor(_locks.Functions, _locks.Tasks);
        long reported = Stopwatch.GetTimestamp();
        while (TryTake(replay, out ReplayInterval interval))
        {
            Add(replay, Visit(replay, visitor, interval), interval.To);
            if (Stopwatch.GetElapsedTime(reported) < s_reportInterval) continue;
            _changed();
            reported = Stopwatch.GetTimestamp();
        }
        Settle(replay);
        _changed();
    }

    private bool TryTake(BackgroundReplay replay, out ReplayInterval interval)
    {
        replay.Rest();
        lock (_gate)
        {
            if (!_wanted.TryDequeue(out interval)) return false;
            _isFindingSettled = false;
            return true;
        }
    }

    private static T Visit<T>(BackgroundReplay replay, IIntervalVisitor<T> visitor, ReplayInterval interval) =>
        replay.Replay(interval, machine => visitor.Begin(machine, 0, interval), _ => visitor.End());

    private void Add(BackgroundReplay replay, List<LockEvent> events, Position to)
    {
        for (int i = 0; i < events.Count;)
        {
            replay.Rest();
            lock (_gate)
            {
                // What happens at one position stays together.
                for (int n = 0; i < events.Count && (n < EventsPerTurn || events[i].At == events[i - 1].At); n++) _tracker.Add(events[i++]);
                if (i < events.Count) _known = events[i].At;
            }
        }
        lock (_gate) _known = to;
    }

    private void Settle(BackgroundReplay replay)
    {
        List<LockFinding> findings;
        ReplayInterval[] intervals;
        lock (_gate)
        {
            if (_wanted.Count > 0) return;
            _known = _end;
            LockHistory.FailAtEnd(_tracker, _recording, _end);
            findings = [.. _tracker.Findings];
            intervals = [.. _all];
        }
        LockLifetimes.RemoveUnrelated(findings, _locks.Functions, (from, before, createVisitor, take) =>
        {
            IIntervalVisitor<List<LockLifetimes.Rebirth>> visitor = createVisitor();
            foreach (ReplayInterval one in intervals)
            {
                if (one.To <= from || one.From >= before) continue;
                take(Visit(replay, visitor, one with { From = one.From < from ? from : one.From, To = one.To > before ? before : one.To }));
            }
        });
        findings.Sort(static (a, b) => a.At.CompareTo(b.At));
        lock (_gate)
        {
            // More may have been recorded meanwhile.
            if (_wanted.Count > 0) return;
            (_findings, _isSettled, _isFindingSettled) = (findings, true, true);
        }
    }
}
