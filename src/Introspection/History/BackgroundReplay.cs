using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Redaction;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.History;

/// <summary>
/// Replays a recording in the background. Threads: one of its own, below normal priority, on a machine of its own; it rests while <see cref="Pause"/> holds, and starts with the first
/// work. The machine is there only as long as there is work, and a moment longer, and while it is its turn.
/// </summary>
internal sealed class BackgroundReplay : IDisposable
{
    // For work that comes in small pieces, as with a guest that lives.
    private static readonly TimeSpan s_lingers = TimeSpan.FromSeconds(1);
    // Another machine has to translate the guest's code again, which takes a tenth of that.
    private static readonly TimeSpan s_longestTurn = TimeSpan.FromSeconds(5);

    // Of the guest's memory. What one stretch touches is mostly a tenth of that.
    private const long MemoryBudgetBytes = 32L << 20;

    private readonly RecordingFile _recording;
    private readonly string _name;
    private readonly Action<BackgroundReplay> _work;
    private readonly Action _failed;
    private readonly CancellationTokenSource _end = new();
    private readonly ManualResetEventSlim _mayRun = new(true);
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly Rests _rests;
    private readonly BackgroundTurns _turns;
    private Replayer? _replayer;
    private bool _hasTurn;
    private long _turnBegan;
    private Thread? _thread;
    private volatile string? _failure;

    /// <param name="recording">Stays the caller's, and is in use until this is disposed of.</param>
    /// <param name="name">Of the thread.</param>
    /// <param name="work">Does all work that there is, on the thread.</param>
    /// <param name="failed">It has given up. Called on the thread.</param>
    /// <param name="turns">With whom it takes turns; null: with nobody.</param>
    public BackgroundReplay(RecordingFile recording, string name, Action<BackgroundReplay> work, Action failed, BackgroundTurns? turns = null)
    {
        (_recording, _name, _work, _failed, _turns) = (recording, name, work, failed, turns ?? new BackgroundTurns());
        _rests = new Rests(this);
    }

    /// <summary>Why it has given up, in a sentence; null: it has not.</summary>
    public string? Failure => _failure;

    /// <summary>The caller needs the processor.</summary>
    public void Pause() => _mayRun.Reset();

    /// <summary>It does not any more.</summary>
    public void Resume() => _mayRun.Set();

    /// <summary>There is work. For the caller's thread.</summary>
    public void Begin()
    {
        if (_thread is null)
        {
            _thread = new Thread(Work) { Name = _name, IsBackground = true, Priority = ThreadPriority.BelowNormal };
            _thread.Start();
        }
        if (_wanted.CurrentCount == 0) _wanted.Release();
    }

    public void Dispose()
    {
        _end.Cancel();
        _mayRun.Set();
        _thread?.Join();
        _end.Dispose();
        _wanted.Dispose();
        _mayRun.Dispose();
    }

    /// <summary>The stretches between checkpoints that a range lies in, whole, in order.</summary>
    /// <param name="recording">On the thread that it grows on.</param>
    /// <param name="from">First instruction count.</param>
    /// <param name="to">The count behind the last.</param>
    public static IEnumerable<ReplayInterval> IntervalsOf(RecordingFile recording, ulong from, ulong to)
    {
        IReadOnlyList<CheckpointInfo> checkpoints = recording.Checkpoints;
        Position end = recording.End;
        int low = 0, high = checkpoints.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (checkpoints[middle].Position.InstructionCount <= from) low = middle;
            else high = middle - 1;
        }
        for (int i = low; i < checkpoints.Count && checkpoints[i].Position.InstructionCount < to; i++)
        {
            Position start = checkpoints[i].Position, next = i + 1 < checkpoints.Count ? checkpoints[i + 1].Position : end;
            if (next > start) yield return new ReplayInterval(i, start, start, next);
        }
    }

    // ---- For the work.

    /// <summary>Waits while somebody else needs the processor.</summary>
    /// <exception cref="OperationCanceledException">It is over.</exception>
    public void Rest() => _mayRun.Wait(_end.Token);

    /// <summary>Replays a stretch.</summary>
    /// <param name="interval">Neighbours that follow each other cost nothing between.</param>
    /// <param name="begin">The machine stands at its start.</param>
    /// <param name="end">It stands at its end, or has failed.</param>
    public T Replay<T>(in ReplayInterval interval, Action<Machine> begin, Func<Machine, T> end)
    {
        WaitForTurn();
        Replayer replayer = _replayer ??= new Replayer(_recording, memoryBudgetBytes: MemoryBudgetBytes);
        if (replayer.Position != interval.Start || replayer.IsOverBudget) replayer.Restart(interval.Checkpoint);
        begin(replayer.Machine);
        T found = default!;
        try
        {
            replayer.RunTo(interval.To, _rests, _end.Token);
        }
        finally
        {
            found = end(replayer.Machine);
        }
        return found;
    }

    private void Work()
    {
        try
        {
            while (true)
            {
                if (!_wanted.Wait(s_lingers, _end.Token))
                {
                    DropMachine();
                    _wanted.Wait(_end.Token);
                }
                _work(this);
            }
        }
        catch (OperationCanceledException)
        {
            // The session ends.
        }
        catch (Exception e) when (e is RecordingFormatException or ReplayDivergenceException or RedactedPositionException or IOException)
        {
            _failure = e.Message;
            _failed();
        }
        finally
        {
            DropMachine();
        }
    }

    private void WaitForTurn()
    {
        if (_hasTurn && Stopwatch.GetElapsedTime(_turnBegan) > s_longestTurn && _turns.IsWanted) DropMachine();
        if (_hasTurn) return;
        _turns.Begin(this, _end.Token);
        (_hasTurn, _turnBegan) = (true, Stopwatch.GetTimestamp());
    }

    // And with it the turn.
    private void DropMachine()
    {
        _replayer?.Dispose();
        _replayer = null;
        if (_hasTurn) _turns.End(this);
        _hasTurn = false;
    }

    // Called now and then while replaying.
    private sealed class Rests(BackgroundReplay replay) : IProgress<TimelineProgress>
    {
        public void Report(TimelineProgress value) => replay.Rest();
    }
}
