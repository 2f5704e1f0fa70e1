using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Dap.Protocol;
using Replay.Timelines;

namespace Dap.Sessions;

/// <summary>
/// The one thing that the engine's thread is doing, seen from the reader's thread, which may end it; and its progress, told to the client when it takes long.
/// </summary>
internal sealed class Activity(MessageWriter writer, TimeSpan progressDelay) : IProgress<TimelineProgress>, IDisposable
{
    private static readonly TimeSpan s_updateInterval = TimeSpan.FromMilliseconds(200), s_waitInterval = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly HashSet<long> _cancelledRequests = [];
    private CancellationTokenSource _source = new();
    private long _request;
    private CancellationTokenSource? _slice;
    private bool _isLeaving, _isDisposed, _hasArrivals;
    private int _waitingPauses;

    // Only the engine's thread uses what follows.
    private string _title = "";
    private string? _progressId;
    private long _began, _updated;
    private int _progressCount;

    /// <summary>The client wants to be told.</summary>
    public bool ReportsProgress { get; set; }

    /// <summary>Of the movement that is under way: replayed so far.</summary>
    public ulong DoneInstructions { get; private set; }

    public CancellationToken Token => _source.Token;

    // ---- The reader's thread.

    /// <summary>A pause has been read; the engine will answer it when its turn comes.</summary>
    public void Pause()
    {
        lock (_gate)
        {
            _waitingPauses++;
            Cancel();
        }
    }

    /// <summary>The client goes: nothing that takes long is begun any more.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _isLeaving = true;
            Cancel();
        }
    }

    /// <summary>A request has been read and waits: a guest that runs without end is held up for it.</summary>
    public void Arrived()
    {
        lock (_gate)
        {
            _hasArrivals = true;
            if (!_isDisposed) _slice?.Cancel();
        }
    }

    public void CancelRequest(long sequence)
    {
        lock (_gate)
        {
            if (sequence == _request) Cancel();
            // Numbers of requests that were long done would pile up.
            else if (sequence > _request && _cancelledRequests.Count < 1024) _cancelledRequests.Add(sequence);
        }
    }

    public void CancelProgress(string id)
    {
        lock (_gate)
            if (id == _progressId) Cancel();
    }

    // ---- The engine's thread.

    /// <summary>Begins with a request; false when it has been cancelled before.</summary>
    public bool TryBegin(Request request)
    {
        lock (_gate)
        {
            _request = request.Sequence;
            if (_source.IsCancellationRequested)
            {
                _source.Dispose();
                _source = new CancellationTokenSource();
            }
            if (_waitingPauses > 0 || _isLeaving) _source.Cancel();
            return !_cancelledRequests.Remove(request.Sequence);
        }
    }

    /// <summary>
    /// A stretch of a run that may have no end: the token fires when a request arrives, or what ends the run. Requests that wait now are to be served before.
    /// </summary>
    /// <param name="longest">It fires then, too; null: not for its length.</param>
    public CancellationToken BeginSlice(TimeSpan? longest = null)
    {
        lock (_gate)
        {
            _slice?.Dispose();
            _slice = CancellationTokenSource.CreateLinkedTokenSource(_source.Token);
            if (_hasArrivals) _slice.Cancel();
            else if (longest is { } time) _slice.CancelAfter(time);
            return _slice.Token;
        }
    }

    /// <summary>What has arrived up to now is about to be served.</summary>
    public void ServeArrivals()
    {
        lock (_gate) _hasArrivals = false;
    }

    public void PauseAnswered()
    {
        lock (_gate) _waitingPauses--;
    }

    /// <summary>Names what comes, for people.</summary>
    public void Title(string title)
    {
        _title = title;
        _began = Stopwatch.GetTimestamp();
        DoneInstructions = 0;
    }

    /// <summary>The next movement counts from zero.</summary>
    public void NextMovement() => DoneInstructions = 0;

    public void Report(TimelineProgress value)
    {
        DoneInstructions = value.DoneInstructions;
        if (!ReportsProgress || Stopwatch.GetElapsedTime(_began) < progressDelay) return;
        double percentage = value.TotalInstructions == 0 ? 0 : Math.Min(100, 100.0 * value.DoneInstructions / value.TotalInstructions);
        if (_progressId is null)
        {
            lock (_gate) _progressId = $"ttvm-{++_progressCount}";
            _updated = Stopwatch.GetTimestamp();
            writer.WriteEvent(Events.ProgressStart, new ProgressStartEventBody
            {
                ProgressId = _progressId, Title = _title, RequestId = _request, Cancellable = true, Percentage = (long)percentage,
            });
        }
        else if (Stopwatch.GetElapsedTime(_updated) >= s_updateInterval)
        {
            _updated = Stopwatch.GetTimestamp();
            writer.WriteEvent(Events.ProgressUpdate, new ProgressUpdateEventBody { ProgressId = _progressId, Percentage = (long)percentage });
        }
    }

    /// <summary>Waits in the midst of a request, or of a movement, which goes on as it was.</summary>
    /// <param name="title">For people.</param>
    /// <param name="isDone">Waits for so long; true: it is done.</param>
    /// <param name="fraction">How much is done.</param>
    /// <exception cref="OperationCanceledException">The user has had enough.</exception>
    public void Wait(string title, Func<TimeSpan, CancellationToken, bool> isDone, Func<double> fraction)
    {
        (string oldTitle, long oldBegan, ulong oldDone) = (_title, _began, DoneInstructions);
        Title(title);
        while (!isDone(s_waitInterval, Token)) Report(new TimelineProgress((ulong)(fraction() * 1000), 1000));
        (_title, _began, DoneInstructions) = (oldTitle, oldBegan, oldDone);
    }

    /// <summary>Ends what was begun.</summary>
    public void End()
    {
        if (_progressId is not null) writer.WriteEvent(Events.ProgressEnd, new ProgressEndEventBody { ProgressId = _progressId });
        lock (_gate) _progressId = null;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _slice?.Dispose();
            _source.Dispose();
        }
    }

    // Under the lock. The reader's thread may live longer than the engine.
    private void Cancel()
    {
        if (!_isDisposed) _source.Cancel();
    }
}
