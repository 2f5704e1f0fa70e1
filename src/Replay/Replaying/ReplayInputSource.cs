using System;
using Replay.Log;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Replaying;

/// <summary>Hands out what the log has, at the logged positions, and asserts that the machine asks for exactly that, there. One
/// machine's.</summary>
internal sealed class ReplayInputSource : IInputSource
{
    private readonly EventLogReader _log;
    private LogSegment? _segment;
    private Position? _lastIdle;
    private int _segmentIndex, _index;
    private ulong _nextArrival;
    private bool _nothingMore;

    /// <param name="log">The log.</param>
    /// <param name="haltedAt">The recording's end, if it ended because every vCPU was halted for ever.</param>
    public ReplayInputSource(EventLogReader log, Position? haltedAt = null)
    {
        _log = log;
        Refresh(haltedAt);
    }

    /// <summary>The log has grown: what comes next may have become known.</summary>
    /// <param name="haltedAt">The recording's end, if it has ended by now because every vCPU was halted for ever.</param>
    public void Refresh(Position? haltedAt)
    {
        _lastIdle = haltedAt is { EventOrdinal: > 0 } end ? end with { EventOrdinal = end.EventOrdinal - 1 } : null;
        EnterSegment();
    }

    /// <summary>Number of input records handed out since the start of the recording.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>Behind the last arrival "some time later": only where the recorded machine knew that nothing would come, this one knows
    /// it.</summary>
    public ulong NextArrival => _nextArrival != ulong.MaxValue || _nothingMore ? _nextArrival : ulong.MaxValue - 1;

    /// <summary>Goes to where so many records have been handed out.</summary>
    public void Seek(ulong sequence)
    {
        Sequence = sequence;
        _nothingMore = false;
        EnterSegment();
    }

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        if (NextArrival > at.InstructionCount) return false;
        if (!TryPeek(out LogRecord next) || !next.IsArrival)
        {
            // The arrival comes behind a time reading or entropy request that the machine has yet to make.
            return false;
        }
        if (next.At > at) return false;
        if (next.At < at)
            throw new ReplayDivergenceException(next.At, $"{Describe(next)} to be taken", $"a machine that is at {at} already");
        input = next.Kind == LogRecordKind.TimeInput
            ? new InputEvent(InputKind.Time, 0, BitConverter.GetBytes(next.Value))
            : new InputEvent((InputKind)next.Kind, next.Unit, next.Data);
        Advance();
        return true;
    }

    public ulong ReadTime(Position at) => Take(LogRecordKind.TimeRead, at, "a reading of the time").Value;

    public void FillEntropy(Position at, Span<byte> destination)
    {
        LogRecord record = Take(LogRecordKind.EntropyRead, at, "a request for entropy");
        if (record.Data.Length != destination.Length)
            throw new ReplayDivergenceException(at, $"a request for {record.Data.Length} random bytes", $"one for {destination.Length}");
        record.Data.Span.CopyTo(destination);
    }

    public bool Idle(Position at, ulong nanosecondsToTimer)
    {
        _nothingMore = at == _lastIdle;
        return TryPeek(out LogRecord next) && next.IsArrival && next.At == at with { EventOrdinal = at.EventOrdinal + 1 };
    }

    private LogRecord Take(LogRecordKind kind, Position at, string what)
    {
        if (!TryPeek(out LogRecord next)) throw new ReplayDivergenceException(at, "no further input", what);
        if (next.Kind != kind || next.At != at) throw new ReplayDivergenceException(at, $"{Describe(next)} at {next.At}", what);
        Advance();
        return next;
    }

    private bool TryPeek(out LogRecord record)
    {
        bool any = _segment is not null && _index < _segment.Inputs.Length;
        record = any ? _segment!.Inputs[_index] : default;
        return any;
    }

    private void Advance()
    {
        bool wasArrival = _segment!.Inputs[_index].IsArrival;
        _index++;
        Sequence++;
        if (_index == _segment.Inputs.Length) EnterSegment();
        else if (wasArrival) FindNextArrival();
    }

    // Segments without inputs in between are not even read: the index knows how many each has.
    private void EnterSegment()
    {
        _nextArrival = ulong.MaxValue;
        if (_log.SegmentCount == 0) return;
        _segmentIndex = _log.FindSegmentOfInput(Sequence);
        _segment = _log.ReadSegment(_segmentIndex);
        _index = (int)Math.Min(Sequence - _segment.BaseSequence, (ulong)_segment.Inputs.Length);
        FindNextArrival();
    }

    private void FindNextArrival()
    {
        LogRecord[] inputs = _segment!.Inputs;
        for (int i = _index; i < inputs.Length; i++)
        {
            if (!inputs[i].IsArrival) continue;
            _nextArrival = inputs[i].At.InstructionCount;
            return;
        }
        // None in this segment: not before the next one, which is entered when this one's other records are used up.
        bool more = _index < inputs.Length && _segmentIndex + 1 < _log.SegmentCount;
        _nextArrival = more ? _log.Meta(_segmentIndex + 1).Base.InstructionCount : ulong.MaxValue;
    }

    private static string Describe(in LogRecord record) => record.Kind switch
    {
        LogRecordKind.TimeRead => "a reading of the time",
        LogRecordKind.EntropyRead => $"a request for {record.Data.Length} random bytes",
        LogRecordKind.TimeInput => "a time input",
        _ => $"input {(InputKind)record.Kind} of {record.Data.Length} bytes",
    };
}
