using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Replay.Packages;
using Replay.Timelines;

namespace Replay.Verification;

/// <summary>
/// Verifies several recordings at once, each as <see cref="RecordingVerifier"/> does. A thread without a recording of its own helps with another's stretches, so that all cores have work
/// until the end. Whatever is wrong with one file is in its report, and the others go on. Threads: the caller's waits and reports; what workers share is under the lock.
/// </summary>
public sealed class VerificationBatch
{
    private const int ReportMilliseconds = 50;

    private sealed class Run(int number, RecordingFile file, IntervalVerification intervals)
    {
        public int Number => number;
        public RecordingFile File => file;
        public IntervalVerification Intervals => intervals;
        public int WorkerCount { get; set; } = 1;
    }

    private readonly IReadOnlyList<Func<RecordingFile>> _recordings;
    private readonly CancellationToken _cancellation;
    private readonly Action<int> _started;
    private readonly Action<int, VerificationReport> _finished;
    private readonly Lock _gate = new();
    private readonly List<Run> _runs = [];
    private int _next;
    private ulong _total, _doneByFinished;

    /// <param name="recordings">Each opens one; it may throw <see cref="RecordingFormatException"/> and <see cref="IOException"/>.</param>
    /// <param name="started">Gets the number of a recording that is begun. Called on workers' threads, one at a time.</param>
    /// <param name="finished">Gets its number and its report, in the same way.</param>
    /// <param name="cancellation">Stops with <see cref="OperationCanceledException"/>.</param>
    public VerificationBatch(IReadOnlyList<Func<RecordingFile>> recordings, Action<int> started, Action<int, VerificationReport> finished, CancellationToken cancellation) =>
        (_recordings, _started, _finished, _cancellation) = (recordings, started, finished, cancellation);

    /// <summary>Verifies all.</summary>
    /// <param name="maxParallelism">Machines side by side; 0: one per core.</param>
    /// <param name="progress">Instructions of the recordings begun so far.</param>
    public void Verify(int maxParallelism = 0, IProgress<TimelineProgress>? progress = null)
    {
        var workers = new Task[maxParallelism > 0 ? maxParallelism : Environment.ProcessorCount];
        for (int i = 0; i < workers.Length; i++)
            workers[i] = Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (!Task.WaitAll(workers, ReportMilliseconds, CancellationToken.None)) progress?.Report(Progress());
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
        _cancellation.ThrowIfCancellationRequested();
    }

    // Recordings that nobody has begun count as much as those begun on average.
    private TimelineProgress Progress()
    {
        lock (_gate)
        {
            ulong done = _doneByFinished;
            foreach (Run run in _runs) done += run.Intervals.DoneInstructions;
            ulong total = _next == 0 ? 0 : (ulong)((UInt128)_total * (uint)_recordings.Count / (uint)_next);
            return new TimelineProgress(done, Math.Max(done, total));
        }
    }

    private void Work()
    {
        while (TryBegin(out Run? run) || TryJoin(out run))
        {
            if (run is null) continue;
            run.Intervals.Work();
            Leave(run);
        }
    }

    // True, and null: one was taken, and found to be bad at once.
    private bool TryBegin(out Run? run)
    {
        run = null;
        int number;
        lock (_gate)
        {
            if (_next >= _recordings.Count || _cancellation.IsCancellationRequested) return false;
            number = _next++;
            _started(number);
        }
        RecordingFile? file = null;
        try
        {
            file = _recordings[number]();
            RecordingVerifier.CompareParts(file, _cancellation);
            run = new Run(number, file, new IntervalVerification(file, _cancellation));
        }
        catch (Exception e) when (e is RecordingFormatException or IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            lock (_gate) _finished(number, new VerificationReport(false, null, e.Message, 0, 0, 0));
            return true;
        }
        catch (OperationCanceledException)
        {
            file?.Dispose();
            return false;
        }
        lock (_gate)
        {
            _runs.Add(run);
            _total += file.End.InstructionCount;
        }
        return true;
    }

    private bool TryJoin(out Run? run)
    {
        lock (_gate)
        {
            run = null;
            foreach (Run other in _runs)
                if (other.Intervals.HasMore && (run is null || other.WorkerCount < run.WorkerCount)) run = other;
            if (run is null) return false;
            run.WorkerCount++;
            return true;
        }
    }

    private void Leave(Run run)
    {
        lock (_gate)
        {
            if (--run.WorkerCount > 0) return;
            _runs.Remove(run);
            VerificationReport report = run.Intervals.Report();
            _doneByFinished += report.ReplayedInstructions;
            run.File.Dispose();
            if (!_cancellation.IsCancellationRequested) _finished(run.Number, report);
        }
    }
}
