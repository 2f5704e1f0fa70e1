using System;
using System.Threading;
using Replay.Packages;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.History;

/// <summary>
/// A second machine of the same recording, to look at another position while the first stays where it is. It stays at its position, so that asking again is free.
/// </summary>
public sealed class OtherMoment(RecordingFile recording) : IDisposable
{
    private Replayer? _replayer;

    /// <summary>The machine at a position.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled on the way.</exception>
    public Machine At(Position position, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        _replayer ??= new Replayer(recording);
        if (_replayer.Position != position)
        {
            if (_replayer.Position > position || IsBehindCheckpoint(position)) _replayer.RestartBefore(position);
            _replayer.RunTo(position, progress, cancellation);
        }
        return _replayer.Machine;
    }

    public void Dispose() => _replayer?.Dispose();

    // A checkpoint lies between here and there: starting from it is shorter.
    private bool IsBehindCheckpoint(Position position)
    {
        for (int i = recording.Checkpoints.Count - 1; i >= 0; i--)
            if (recording.Checkpoints[i].Position <= position) return recording.Checkpoints[i].Position > _replayer!.Position;
        return false;
    }
}
