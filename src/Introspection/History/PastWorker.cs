using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Replay.Packages;
using Replay.Queries;
using Vmm.Time;

namespace Introspection.History;

/// <summary>
/// Learns a past of a recording by replaying it in the background, from the start. What is known so far can be read at any time. Threads: one of its own, below normal priority, which rests
/// while <see cref="Pause"/> holds; it shares with the caller only what is under the lock.
/// </summary>
/// <typeparam name="THistory">What is learnt: of locks, of read-copy-update, of channels.</typeparam>
public sealed class PastWorker<THistory> : IDisposable
{
    // So many at once are added under the lock: a fraction of a millisecond.
    private const int EventsPerTurn = 500;
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromMilliseconds(500);

    private readonly RecordingFile _recording;
    private readonly Past<THistory> _past;
    private readonly Action _changed;
    // What is known, which may take a while to add to; and how much that is, which whoever asks never waits for. The second is taken inside the first, never the other way round.
    private readonly Lock _gate = new(), _state = new();
    private readonly BackgroundReplay _replay;
    private readonly Queue<ReplayInterval> _wanted = new();
    private readonly List<ReplayInterval> _all = [];
    private Position _known, _end;
    private bool _hasBegun, _isSettled;

    /// <param name="recording">Stays the caller's, and is in use until this is disposed of.</param>
    /// <param name="name">Of the thread.</param>
    /// <param name="past">What is learnt, which is nobody else's.</param>
    /// <param name="changed">More is known, or will never be. Called on the worker's thread, now and then.</param>
    /// <param name="turns">With whom it takes turns; null: with nobody.</param>
    internal PastWorker(RecordingFile recording, string name, Past<THistory> past, Action changed, BackgroundTurns? turns)
    {
        (_recording, _past, _changed) = (recording, past, changed);
        _known = _end = recording.Start;
        _replay = new BackgroundReplay(recording, name, Work, changed, turns);
    }

    /// <summary>Why it has given up, in a sentence; null: it has not.</summary>
    public string? Failure => _replay.Failure;

    /// <summary>All of the recording, as it is now, is known.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_state) return _isSettled;
        }
    }

    /// <summary>Before this position everything is known.</summary>
    public Position Known
    {
        get
        {
            lock (_state) return _known;
        }
    }

    /// <summary>The caller needs the processor.</summary>
    public void Pause() => _replay.Pause();

    /// <summary>It does not any more.</summary>
    public void Resume() => _replay.Resume();

    /// <summary>Learns all of the recording as it is now. For the caller's thread, as often as it likes.</summary>
    public void Learn()
    {
        lock (_state)
        {
            Position from = _end, end = _recording.End;
            if (Failure is not null || _wanted.Count > 0 || (_hasBegun && end == from)) return;
            (_hasBegun, _end, _isSettled) = (true, end, false);
            if (!_past.IsEmpty)
            {
                foreach (ReplayInterval one in BackgroundReplay.IntervalsOf(_recording, from.InstructionCount, end.InstructionCount + 1))
                    if (one.To > from) _wanted.Enqueue(one with { From = one.Start < from ? from : one.Start });
                _all.AddRange(_wanted);
            }
            _replay.Begin();
        }
    }

    /// <summary>Reads what is known. It does not change meanwhile, and is not for later.</summary>
    public T Read<T>(Func<THistory, T> read)
    {
        lock (_gate) return read(_past.Read(_recording.Start, Known));
    }

    public void Dispose() => _replay.Dispose();

    private void Work(BackgroundReplay replay)
    {
        long reported = Stopwatch.GetTimestamp();
        while (TryTake(replay, out ReplayInterval interval))
        {
            replay.Replay(interval, machine => _past.Begin(machine, interval), machine =>
            {
                _past.End();
                return machine;
            });
            Add(replay, interval.To);
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
            lock (_state)
                if (!_wanted.TryDequeue(out interval)) return false;
            _past.Begun();
            return true;
        }
    }

    private void Add(BackgroundReplay replay, Position to)
    {
        while (true)
        {
            replay.Rest();
            lock (_gate)
            {
                Position? known = _past.Add(EventsPerTurn);
                lock (_state) _known = known ?? to;
                if (known is null) return;
            }
        }
    }

    private void Settle(BackgroundReplay replay)
    {
        ReplayInterval[] intervals;
        Position end;
        lock (_gate)
        {
            lock (_state)
            {
                if (_wanted.Count > 0) return;
                end = _known = _end;
                intervals = [.. _all];
            }
            _past.Ended(end);
        }
        _past.Refine(new Refinement(replay, intervals));
        lock (_gate)
        {
            lock (_state)
            {
                // More may have been recorded meanwhile.
                if (_wanted.Count > 0) return;
                _past.Refined();
                _isSettled = true;
            }
        }
    }

    private sealed class Refinement(BackgroundReplay replay, ReplayInterval[] intervals) : IRefinement
    {
        public void Scan<TFound>(Position from, Position before, IIntervalVisitor<TFound> visitor, Action<TFound> take)
        {
            foreach (ReplayInterval one in intervals)
            {
                if (one.To <= from || one.From >= before) continue;
                ReplayInterval part = one with { From = one.From < from ? from : one.From, To = one.To > before ? before : one.To };
                take(replay.Replay(part, machine => visitor.Begin(machine, 0, part), _ => visitor.End()));
            }
        }
    }
}
