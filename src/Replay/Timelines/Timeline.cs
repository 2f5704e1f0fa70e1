using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>Why a movement stopped.</summary>
public enum TimelineStopReason
{
    /// <summary>It went as far as asked.</summary>
    Done,
    /// <summary>A condition was met: see <see cref="TimelineStop.Hits"/>.</summary>
    Hit,
    /// <summary>The start of the recording.</summary>
    Start,
    /// <summary>The end of the recording.</summary>
    End,
}

/// <param name="Reason">Why.</param>
/// <param name="Position">Where the timeline stands now.</param>
/// <param name="Hits">All conditions met there; empty unless the reason is a hit.</param>
public readonly record struct TimelineStop(TimelineStopReason Reason, Position Position, IReadOnlyList<QueryHit> Hits);

/// <summary>Progress of a long movement or scan.</summary>
/// <param name="DoneInstructions">Replayed so far.</param>
/// <param name="TotalInstructions">At most.</param>
public readonly record struct TimelineProgress(ulong DoneInstructions, ulong TotalInstructions);

/// <summary>
/// A recording with a cursor: the machine stands at <see cref="Position"/> and can be looked at. Not thread-safe; its reverse scans use other
/// machines on other threads inside. A cancelled movement throws <see cref="OperationCanceledException"/> and leaves the cursor where it was.
/// </summary>
public sealed class Timeline : IDisposable
{
    /// <summary>Stands at the start. The recording stays the caller's to dispose of.</summary>
    public Timeline(RecordingFile recording, TimelineOptions? options = null) => throw new NotSupportedException();

    public RecordingFile Recording => throw new NotSupportedException();

    /// <summary>The machine at the cursor. Look, do not run or change it: that is what <see cref="Divert"/> is for. The instance may change when the cursor moves.</summary>
    public Machine Machine => throw new NotSupportedException();

    public Position Position => throw new NotSupportedException();
    public Position Start => throw new NotSupportedException();
    public Position End => throw new NotSupportedException();

    /// <summary>Digest of the whole state at the cursor.</summary>
    public StateDigest Digest() => throw new NotSupportedException();

    /// <summary>Moves to a position. One between two events that do not exist lands on the next that does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Past the end.</exception>
    public void Seek(Position target, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Forward by <paramref name="count"/> transitions: instructions (or REP iterations) retired and events in between.</summary>
    public TimelineStop StepForward(ulong count = 1, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    /// <summary>Back by <paramref name="count"/> transitions: the exact inverse of <see cref="StepForward"/>.</summary>
    public TimelineStop StepBack(ulong count = 1, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    /// <summary>Forward to the first hit after the cursor, or the end.</summary>
    public TimelineStop Continue(IReadOnlyCollection<StopCondition> conditions, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Back to the last hit before the cursor, or the start.</summary>
    public TimelineStop ReverseContinue(IReadOnlyCollection<StopCondition> conditions, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Moves to the last write before the cursor to any of the bytes; null (and the cursor stays) when nothing wrote them since the start.</summary>
    public MachineEvent? LastWrite(ulong address, int sizeBytes, bool isPhysical, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Moves to the first write after the cursor to any of the bytes; null (and the cursor stays) when nothing does up to the end.</summary>
    public MachineEvent? NextWrite(ulong address, int sizeBytes, bool isPhysical, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Moves to where the text was printed; null (and the cursor stays) when nowhere.</summary>
    public ConsoleOutput? FindConsole(string text, bool reverse, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    /// <summary>A throw-away machine in the state at the cursor.</summary>
    public Diversion Divert() => throw new NotSupportedException();

    public void Dispose() { }
}

/// <summary>Limits of a timeline.</summary>
public sealed record TimelineOptions
{
    /// <summary>Machines side by side in reverse scans; 0: one per core.</summary>
    public int MaxParallelism { get; init; }

    /// <summary>For snapshots near the cursor and decompressed pages.</summary>
    public long MemoryBudgetBytes { get; init; } = 512L << 20;
}
