using System;
using System.Collections.Generic;
using System.Threading;
using Vmm.Time;

namespace Replay.Redaction;

/// <summary>Positions that cannot be replayed any more, because something that they depend on was taken out of the recording.</summary>
/// <param name="From">The last position before them: it can be visited.</param>
/// <param name="To">The first one behind them that can be visited again: a checkpoint.</param>
/// <param name="Why">What was taken out, in a few words: "memory was redacted".</param>
public readonly record struct RecordingHole(Position From, Position To, string Why)
{
    /// <summary>One sentence, without a full stop.</summary>
    public override string ToString() => $"between positions {From} and {To} nothing can be replayed: {Why}";
}

/// <summary>All holes of a recording, in ascending order. Which of them replay has passed over is remembered, so that it can be told once. Thread-safe.</summary>
public sealed class RecordingHoles
{
    private readonly RecordingHole[] _holes;
    private readonly int[] _passed;

    /// <param name="holes">They do not overlap; one may begin where the one before ends.</param>
    internal RecordingHoles(RecordingHole[] holes)
    {
        _holes = holes;
        _passed = new int[holes.Length];
    }

    public int Count => _holes.Length;

    public IReadOnlyList<RecordingHole> All => _holes;

    /// <summary>The hole that a position is inside of; null: it can be visited.</summary>
    public RecordingHole? At(Position position) => FirstBetween(position, position);

    /// <summary>The first hole on the way forward from one position to another that is not before it; null: there is none.</summary>
    public RecordingHole? FirstBetween(Position from, Position to)
    {
        int index = FirstEndingBehind(from);
        return index < _holes.Length && _holes[index].From < to ? _holes[index] : null;
    }

    /// <summary>The hole whose near edge, going forward, is a position.</summary>
    public RecordingHole? BeginningAt(Position position)
    {
        int index = FirstEndingBehind(position);
        return index < _holes.Length && _holes[index].From == position ? _holes[index] : null;
    }

    /// <summary>The last hole on the way back from a position; null: there is none.</summary>
    public RecordingHole? LastBefore(Position position)
    {
        int index = FirstEndingBehind(position);
        return index > 0 ? _holes[index - 1] : null;
    }

    /// <summary>How far replay gets on the way from one position to another.</summary>
    internal Position Reach(Position from, Position to) => FirstBetween(from, to) is { } hole ? hole.From : to;

    /// <summary>Remembers that something went on behind it as if it was not there.</summary>
    internal void Pass(in RecordingHole hole) => Volatile.Write(ref _passed[FirstEndingBehind(hole.From)], 1);

    /// <summary>Those that were passed over since this was last asked.</summary>
    public IReadOnlyList<RecordingHole> TakePassed()
    {
        var taken = new List<RecordingHole>();
        for (int i = 0; i < _holes.Length; i++)
            if (Interlocked.Exchange(ref _passed[i], 0) != 0) taken.Add(_holes[i]);
        return taken;
    }

    /// <summary>The same as a sentence, to be told; null: there are none.</summary>
    public string? TellPassed() => TakePassed() switch
    {
        { Count: 0 } => null,
        [var one] => $"what lies after position {one.From} and before {one.To} was passed over: it cannot be replayed, {one.Why}",
        var several => $"{several.Count} stretches were passed over, the first after position {several[0].From}, the last before {several[^1].To}: they cannot be replayed, {several[0].Why}",
    };

    private int FirstEndingBehind(Position position)
    {
        int low = 0, high = _holes.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_holes[middle].To <= position) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}

/// <summary>A position lies in a hole of a redacted recording. The message is one sentence for people.</summary>
public sealed class RedactedPositionException(Position position, in RecordingHole hole)
    : Exception($"position {position} cannot be replayed: {hole.Why}; it replays up to {hole.From} and again from {hole.To}")
{
    public Position Position => position;
}
