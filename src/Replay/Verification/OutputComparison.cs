using System;
using Replay.Log;
using Replay.Replaying;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Verification;

/// <summary>Compares what a replaying machine prints with what the log says that it printed.</summary>
internal sealed class OutputComparison(EventLogReader log) : IOutputSink
{
    private int _segmentIndex, _recordIndex, _byteIndex;
    private LogRecord[] _records = [];

    /// <summary>What comes next is output at or behind a position.</summary>
    public void Seek(Position from)
    {
        _segmentIndex = log.SegmentCount;
        _recordIndex = _byteIndex = 0;
        _records = [];
        for (int i = 0; i < log.SegmentCount; i++)
        {
            if (log.Meta(i).OutputByteCount == 0 || log.Meta(i).Through < from) continue;
            _segmentIndex = i - 1;
            break;
        }
        while (TryPeek(out LogRecord next) && next.At < from) _recordIndex++;
    }

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data)
        {
            if (!TryPeek(out LogRecord next)) throw new ReplayDivergenceException(at, "no further output", $"byte 0x{b:x2} on {channel}");
            byte expected = next.Data.Span[_byteIndex];
            if (next.At != at || next.Unit != (int)channel || expected != b)
            {
                throw new ReplayDivergenceException(at, $"byte 0x{expected:x2} on {(OutputChannel)next.Unit} at {next.At}",
                    $"byte 0x{b:x2} on {channel}");
            }
            if (++_byteIndex < next.Data.Length) continue;
            _recordIndex++;
            _byteIndex = 0;
        }
    }

    /// <summary>The machine has gone so far: nothing before must be left over.</summary>
    public void ExpectEverythingBefore(Position position)
    {
        if (TryPeek(out LogRecord next) && next.At < position)
            throw new ReplayDivergenceException(next.At, $"byte 0x{next.Data.Span[_byteIndex]:x2} on {(OutputChannel)next.Unit}", "none");
    }

    private bool TryPeek(out LogRecord record)
    {
        while (true)
        {
            while (_recordIndex < _records.Length && _records[_recordIndex].Kind != LogRecordKind.Output) _recordIndex++;
            if (_recordIndex < _records.Length)
            {
                record = _records[_recordIndex];
                return true;
            }
            do _segmentIndex++;
            while (_segmentIndex < log.SegmentCount && log.Meta(_segmentIndex).OutputByteCount == 0);
            if (_segmentIndex >= log.SegmentCount)
            {
                record = default;
                return false;
            }
            _records = log.ReadSegment(_segmentIndex).Records;
            _recordIndex = _byteIndex = 0;
        }
    }
}
