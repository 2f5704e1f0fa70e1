using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Packages;
using Replay.Queries;
using Vmm;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// A guest that lives and is recorded, and whose past can be visited meanwhile: a <see cref="Timelines.Timeline"/> over it goes back and forth in what is recorded,
/// on a machine of its own, and lets the guest live on at the end. The recorded machine never goes back, and nobody but the guest changes it.
/// Belongs to one thread. <see cref="Finish"/> makes the file; without it the partial directory stays, as after a crash.
/// </summary>
public sealed class LiveRecording : IDisposable
{
    /// <summary>A stop is this near to a checkpoint, so that standing there takes a few milliseconds.</summary>
    private const ulong StopDistance = 500_000;

    /// <summary>Behind a step, the guest lives on for so long: recording every instruction by itself would make long steps slow.</summary>
    private const ulong Lead = 10_000;

    private readonly Recorder _recorder;
    private bool _isFinished;

    /// <param name="recorder">Taken over.</param>
    public LiveRecording(Recorder recorder)
    {
        _recorder = recorder;
        try
        {
            Recording = recorder.OpenGrowing();
            recorder.Settle(Recording, StopDistance);
        }
        catch
        {
            Recording?.Dispose();
            recorder.Dispose();
            throw;
        }
    }

    /// <summary>What is recorded up to now.</summary>
    public RecordingFile Recording { get; }

    /// <summary>The guest can live on.</summary>
    public bool IsAlive => !_isFinished && _recorder.Machine.Outcome.Kind == OutcomeKind.None;

    /// <summary>Lets the guest live on until a condition is met, it ends, or cancellation.</summary>
    /// <param name="conditions">Of any kind.</param>
    /// <param name="after">Only what is met behind this position counts; the end of the recording at the latest.</param>
    /// <param name="cancellation">Ends waits for input too.</param>
    /// <returns>What was met, all at one position, which lies before the recording's end.</returns>
    /// <exception cref="RecordingException">The recording cannot be written.</exception>
    public IReadOnlyList<QueryHit> Run(IReadOnlyCollection<StopCondition> conditions, Position after, CancellationToken cancellation)
    {
        Machine machine = _recorder.Machine;
        var observer = new ConditionObserver(conditions);
        observer.ExpectTexts(Recording.Console.Read(Position.Start, Recording.End));
        observer.ArmForFirst(machine, after);
        try
        {
            _recorder.Run(ulong.MaxValue, () => observer.Hits.Count > 0, cancellation);
            // A breakpoint reports before its instruction: let that do what else is asked for.
            if (observer.Hits.Count > 0 && machine.Position == observer.Hits[0].Event.At)
            {
                _recorder.TakeCheckpointFrom(StopDistance);
                _recorder.Step(CancellationToken.None);
            }
        }
        finally
        {
            observer.Disarm();
            _recorder.Settle(Recording, StopDistance);
        }
        return [.. observer.Hits];
    }

    /// <summary>Lets the guest live on by one transition at least, and a little further. An idle guest waits for what wakes it.</summary>
    /// <param name="cancellation">Ends that wait.</param>
    /// <exception cref="RecordingException">The recording cannot be written.</exception>
    public void Step(CancellationToken cancellation)
    {
        _recorder.Step(cancellation);
        if (IsAlive && !cancellation.IsCancellationRequested) _recorder.RunAhead(_recorder.Machine.InstructionCount + Lead);
        _recorder.Settle(Recording, StopDistance);
    }

    /// <summary>Makes the recording's file. <see cref="Recording"/> and timelines over it must not be used any more.</summary>
    /// <exception cref="RecordingException">The file cannot be written; the partial directory is left.</exception>
    public void Finish(IProgress<double>? progress = null)
    {
        Invariant.Check(!_isFinished);
        _isFinished = true;
        Recording.Dispose();
        _recorder.Finish(progress);
    }

    public void Dispose()
    {
        Recording.Dispose();
        _recorder.Dispose();
    }
}
