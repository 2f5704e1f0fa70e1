using System;
using Replay.Log;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Replaying;

/// <summary>Hands out what the log has, at the logged positions, and asserts that the machine asks for exactly that, there. One machine's.</summary>
internal sealed class ReplayInputSource : IInputSource
{
    private readonly EventLogReader _log;
    private LogSegment? _segment;
    private int _segmentIndex, _index;

    public ReplayInputSource(EventLogReader log)
    {
        _log = log;
        Seek(0);
    }

    /// <summary>Number of input records handed out since the start of the recording.</summary>
    public ulong Sequence { get; private set; }

    public ulong NextArrival { get; private set; }

    /// <summary>Goes to where so many records have been handed out.</summary>
    public void Seek(ulong sequence)
    {
        Sequence = sequence;
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
        if (next.At < at) throw new ReplayDivergenceException(next.At, $"{Describe(next)} to be taken", $"a machine that is at {at} already");
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

    public void Idle(Position at, ulong nanosecondsToTimer) { }

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
        NextArrival = ulong.MaxValue;
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
            NextArrival = inputs[i].At.InstructionCount;
            return;
        }
        // None in this segment: not before the next one, which is entered when this one's other records are used up.
        bool more = _index < inputs.Length && _segmentIndex + 1 < _log.SegmentCount;
        NextArrival = more ? _log.Meta(_segmentIndex + 1).Base.InstructionCount : ulong.MaxValue;
    }

    private static string Describe(in LogRecord record) => record.Kind switch
    {
        LogRecordKind.TimeRead => "a reading of the time",
        LogRecordKind.EntropyRead => $"a request for {record.Data.Length} random bytes",
        LogRecordKind.TimeInput => "a time input",
        _ => $"input {(InputKind)record.Kind} of {record.Data.Length} bytes",
    };
}
