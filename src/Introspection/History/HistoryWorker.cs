using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Replay.Packages;
using Replay.Queries;

namespace Introspection.History;

/// <summary>
/// Learns what happened in a recording by replaying it in the background, the window that is looked at first, one interval between checkpoints after the other. Threads: one of
/// its own, below normal priority, replays on a machine of its own and rests while <see cref="Pause"/> holds; it shares with the caller only what is under the lock. It starts
/// with the first window, and calls <c>changed</c> when more is known.
/// </summary>
public sealed class HistoryWorker : IDisposable
{
    /// <summary>Events that are kept, 32 MiB; behind that, intervals outside the window keep only totals.</summary>
    private const int MaximumEvents = 2_000_000;
    private const int MaximumSingleEvents = 200;
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromMilliseconds(500);

    private readonly RecordingFile _recording;
    private readonly Action _changed;
    private readonly Lock _gate = new();
    private readonly BackgroundReplay _replay;
    private readonly Dictionary<int, IntervalHistory> _known = [];
    private readonly Queue<ReplayInterval> _wanted = new();
    private (ulong From, ulong To) _window;
    private int _eventCount;

    /// <param name="recording">Stays the caller's, and is in use until this is disposed of.</param>
    /// <param name="changed">More is known, or will never be. Called on the worker's thread, now and then.</param>
    /// <param name="turns">With whom it takes turns; null: with nobody.</param>
    public HistoryWorker(RecordingFile recording, Action changed, BackgroundTurns? turns = null)
    {
        (_recording, _changed) = (recording, changed);
        var observer = new IntervalObserver();
        _replay = new BackgroundReplay(recording, "history", replay => ReplayWanted(replay, observer), changed, turns);
    }

    /// <summary>Why it has given up, in a sentence; null: it has not.</summary>
    public string? Failure => _replay.Failure;

    /// <summary>The caller needs the processor.</summary>
    public void Pause() => _replay.Pause();

    /// <summary>It does not any more.</summary>
    public void Resume() => _replay.Resume();

    /// <summary>What is known of a window now; what is not is replayed next.</summary>
    /// <param name="from">First instruction count.</param>
    /// <param name="to">The count behind the last; greater.</param>
    /// <param name="bucketCount">At least 1.</param>
    public HistoryWindow Describe(ulong from, ulong to, int bucketCount)
    {
        var builder = new HistoryWindowBuilder(from, to, bucketCount, _recording.Configuration.CpuCount, MaximumSingleEvents);
        lock (_gate)
        {
            _window = (from, to);
            _wanted.Clear();
            foreach (ReplayInterval interval in BackgroundReplay.IntervalsOf(_recording, from, to))
            {
                bool isKnown = _known.TryGetValue(interval.Checkpoint, out IntervalHistory? history) && history.To == interval.To.InstructionCount;
                if (isKnown && builder.TryAdd(history!, mayBeCoarse: _eventCount >= MaximumEvents)) continue;
                builder.AddUnknown(interval.Start.InstructionCount, interval.To.InstructionCount);
                if (Failure is null) _wanted.Enqueue(interval);
            }
            if (_wanted.Count > 0) _replay.Begin();
        }
        return builder.Build();
    }

    public void Dispose() => _replay.Dispose();

    private void ReplayWanted(BackgroundReplay replay, IntervalObserver observer)
    {
        long reported = Stopwatch.GetTimestamp();
        bool isTold = true;
        while (TryTake(replay, out ReplayInterval interval))
        {
            Add(interval.Checkpoint, Replay(replay, observer, interval));
            isTold = Stopwatch.GetElapsedTime(reported) >= s_reportInterval;
            if (!isTold) continue;
            _changed();
            reported = Stopwatch.GetTimestamp();
        }
        if (!isTold) _changed();
    }

    private bool TryTake(BackgroundReplay replay, out ReplayInterval interval)
    {
        replay.Rest();
        lock (_gate) return _wanted.TryDequeue(out interval);
    }

    private static IntervalHistory Replay(BackgroundReplay replay, IntervalObserver observer, in ReplayInterval interval)
    {
        (ulong from, ulong to) = (interval.Start.InstructionCount, interval.To.InstructionCount);
        int firstCpu = 0;
        return replay.Replay(interval, machine =>
        {
            firstCpu = machine.CurrentCpuIndex;
            observer.Begin(machine);
        }, machine => new IntervalHistory(from, to, firstCpu, machine.Vcpus.Count, observer.End(machine)));
    }

    private void Add(int checkpoint, IntervalHistory history)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(checkpoint, out IntervalHistory? old)) _eventCount -= old.Drop();
            _known[checkpoint] = history;
            _eventCount += history.Events!.Length;
            if (_eventCount <= MaximumEvents) return;
            foreach (IntervalHistory other in _known.Values)
                if (other.To <= _window.From || other.From >= _window.To) _eventCount -= other.Drop();
            if (_eventCount > MaximumEvents) _eventCount -= history.Drop();
        }
    }
}
