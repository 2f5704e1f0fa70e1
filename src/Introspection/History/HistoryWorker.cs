using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Time;

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

    private readonly record struct Interval(int Checkpoint, Position From, Position To);

    private readonly RecordingFile _recording;
    private readonly Action _changed;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ManualResetEventSlim _mayRun = new(true);
    private readonly SemaphoreSlim _work = new(0);
    private readonly Dictionary<int, IntervalHistory> _known = [];
    private readonly Queue<Interval> _wanted = new();
    private (ulong From, ulong To) _window;
    private int _eventCount;
    private Thread? _thread;
    private string? _failure;

    /// <param name="recording">Stays the caller's, and is in use until this is disposed of.</param>
    /// <param name="changed">More is known. Called on the worker's thread, now and then.</param>
    public HistoryWorker(RecordingFile recording, Action changed) => (_recording, _changed) = (recording, changed);

    /// <summary>Why it has given up, in a sentence; null: it has not.</summary>
    public string? Failure
    {
        get
        {
            lock (_gate) return _failure;
        }
    }

    /// <summary>The caller needs the processor.</summary>
    public void Pause() => _mayRun.Reset();

    /// <summary>It does not any more.</summary>
    public void Resume() => _mayRun.Set();

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
            foreach (Interval interval in Intervals(from, to))
            {
                bool isKnown = _known.TryGetValue(interval.Checkpoint, out IntervalHistory? history) && history.To == interval.To.InstructionCount;
                if (isKnown && builder.TryAdd(history!, mayBeCoarse: _eventCount >= MaximumEvents)) continue;
                builder.AddUnknown(interval.From.InstructionCount, interval.To.InstructionCount);
                if (_failure is null) _wanted.Enqueue(interval);
            }
            if (_wanted.Count > 0) Start();
        }
        return builder.Build();
    }

    public void Dispose()
    {
        _end.Cancel();
        _mayRun.Set();
        _thread?.Join();
        _end.Dispose();
        _work.Dispose();
        _mayRun.Dispose();
    }

    private IEnumerable<Interval> Intervals(ulong from, ulong to)
    {
        IReadOnlyList<CheckpointInfo> checkpoints = _recording.Checkpoints;
        Position end = _recording.End;
        int low = 0, high = checkpoints.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (checkpoints[middle].Position.InstructionCount <= from) low = middle;
            else high = middle - 1;
        }
        for (int i = low; i < checkpoints.Count && checkpoints[i].Position.InstructionCount < to; i++)
        {
            Position next = i + 1 < checkpoints.Count ? checkpoints[i + 1].Position : end;
            if (next > checkpoints[i].Position) yield return new Interval(i, checkpoints[i].Position, next);
        }
    }

    // Under the lock.
    private void Start()
    {
        if (_thread is null)
        {
            _thread = new Thread(Work) { Name = "history", IsBackground = true, Priority = ThreadPriority.BelowNormal };
            _thread.Start();
        }
        if (_work.CurrentCount == 0) _work.Release();
    }

    private void Work()
    {
        try
        {
            using var replayer = new Replayer(_recording);
            var observer = new IntervalObserver();
            while (true)
            {
                _work.Wait(_end.Token);
                ReplayWanted(replayer, observer);
            }
        }
        catch (OperationCanceledException)
        {
            // The session ends.
        }
        catch (Exception e) when (e is RecordingFormatException or ReplayDivergenceException or IOException)
        {
            lock (_gate) _failure = e.Message;
        }
    }

    private void ReplayWanted(Replayer replayer, IntervalObserver observer)
    {
        long reported = Stopwatch.GetTimestamp();
        bool isTold = true;
        while (TryTake(out Interval interval))
        {
            Add(interval.Checkpoint, Replay(replayer, observer, interval));
            isTold = Stopwatch.GetElapsedTime(reported) >= s_reportInterval;
            if (!isTold) continue;
            _changed();
            reported = Stopwatch.GetTimestamp();
        }
        if (!isTold) _changed();
    }

    private bool TryTake(out Interval interval)
    {
        _mayRun.Wait(_end.Token);
        lock (_gate) return _wanted.TryDequeue(out interval);
    }

    private IntervalHistory Replay(Replayer replayer, IntervalObserver observer, Interval interval)
    {
        // Neighbours follow each other: the machine often stands there already.
        if (replayer.Position != interval.From) replayer.Restart(interval.Checkpoint);
        int firstCpu = replayer.Machine.CurrentCpuIndex;
        observer.Begin(replayer.Machine);
        HistoryEvent[] events = [];
        try
        {
            replayer.RunTo(interval.To, new Rest(this), _end.Token);
        }
        finally
        {
            events = observer.End(replayer.Machine);
        }
        return new IntervalHistory(interval.From.InstructionCount, interval.To.InstructionCount, firstCpu, replayer.Machine.Vcpus.Count, events);
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

    // Called now and then while replaying: waits while somebody else needs the processor.
    private sealed class Rest(HistoryWorker worker) : IProgress<TimelineProgress>
    {
        public void Report(TimelineProgress value) => worker._mayRun.Wait(worker._end.Token);
    }
}
