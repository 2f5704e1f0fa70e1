using System;
using System.Collections.Generic;
using Replay.Log;
using Replay.Packages;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// The clock and the random bytes of a recording for another machine. Where the recorded guest read the time, it gets the recorded answer; between two of these places time runs evenly
/// with instructions, behind the last one by a nanosecond an instruction. Idle time that was not recorded passes at once. Random bytes come in the order in which they were recorded,
/// and behind the last ones from a fixed generator: a rerun is as repeatable as a replay.
/// </summary>
public sealed class RecordedHost : IHostServices
{
    private readonly List<LogRecord> _readings = [];
    private readonly Queue<ReadOnlyMemory<byte>> _random = new();
    private ulong _waited, _waitedBefore, _last;
    private readonly RepeatableBytes _further = new();
    private int _next;

    public RecordedHost(RecordingFile recording)
    {
        foreach (LogRecord record in recording.ReadInputs())
        {
            if (record.Kind == LogRecordKind.TimeRead) _readings.Add(record);
            else if (record.Kind == LogRecordKind.EntropyRead) _random.Enqueue(record.Data);
        }
    }

    /// <summary>Time that has been waited for: what measures how long something takes sees no other.</summary>
    public ulong ReadMonotonicNanoseconds() => _waited;

    public void Wait(ulong nanoseconds) => _waited += nanoseconds;

    public ulong ReadClock(Position at)
    {
        while (_next < _readings.Count && _readings[_next].At < at) _next++;
        bool isRecorded = _next < _readings.Count && _readings[_next].At == at;
        ulong waited = _waited - _waitedBefore;
        _waitedBefore = _waited;
        _last = isRecorded ? _readings[_next].Value : Math.Max(Between(at.InstructionCount), _last + waited);
        return _last;
    }

    public void FillRandom(Span<byte> destination)
    {
        if (_random.TryPeek(out ReadOnlyMemory<byte> recorded) && recorded.Length == destination.Length)
        {
            _random.Dequeue().Span.CopyTo(destination);
            return;
        }
        _further.Fill(destination);
    }

    private ulong Between(ulong count)
    {
        (ulong fromCount, ulong fromTime) = _next == 0 ? (0, 0) : (_readings[_next - 1].At.InstructionCount, _readings[_next - 1].Value);
        if (_next == _readings.Count) return fromTime + (count - fromCount);
        ulong toCount = _readings[_next].At.InstructionCount, toTime = Math.Max(_readings[_next].Value, fromTime);
        return toCount <= fromCount ? fromTime : fromTime + (ulong)((UInt128)(toTime - fromTime) * (count - fromCount) / (toCount - fromCount));
    }
}
