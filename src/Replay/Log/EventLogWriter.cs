using System;
using System.Buffers;
using System.Text;
using Replay.Checkpoints;
using Replay.Packages;
using Vmm;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Log;

/// <summary>
/// Appends records to the event log. Records collect in memory until <see cref="Flush"/>, or until there are 64 KiB of them, and then become one
/// segment on disk. Positions must not go backwards. Used by the engine's thread only.
/// </summary>
internal sealed class EventLogWriter(FrameWriter frames)
{
    private const int SegmentSizeBytes = 64 << 10;
    /// <summary>An output run ends here, so that it stays a small part of a segment.</summary>
    private const int MaxRunLength = 4096;

    private readonly ArrayBufferWriter<byte> _records = new(SegmentSizeBytes * 2);
    private readonly byte[] _meta = new byte[LogSegmentMeta.SizeBytes];
    private Position _base, _last;
    private ulong _baseNanoseconds, _lastNanoseconds, _baseSequence;
    private int _recordCount, _outputByteCount;

    // The output run being collected: guests print a byte an instruction, and a record for each would be mostly overhead.
    private readonly ArrayBufferWriter<byte> _runBytes = new(MaxRunLength), _runGaps = new(MaxRunLength);
    private Position _runStart, _runLast;
    private OutputChannel _runChannel;

    /// <summary>Input records so far.</summary>
    public ulong Sequence { get; private set; }

    public void WriteInput(Position at, in InputEvent input)
    {
        if (input.Kind == InputKind.Time)
        {
            ulong nanoseconds = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(input.Data.Span);
            WriteTime(LogRecordKind.TimeInput, at, nanoseconds);
            return;
        }
        MessagePackWriter w = Begin((LogRecordKind)input.Kind, at, 5);
        w.Write(input.Unit);
        w.Write(input.Data.Span);
        EndInput(ref w, at);
    }

    public void WriteTimeRead(Position at, ulong nanoseconds) => WriteTime(LogRecordKind.TimeRead, at, nanoseconds);

    public void WriteEntropy(Position at, ReadOnlySpan<byte> data)
    {
        MessagePackWriter w = Begin(LogRecordKind.EntropyRead, at, 4);
        w.Write(data);
        EndInput(ref w, at);
    }

    public void WriteOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        if (_runBytes.WrittenCount > 0 && (channel != _runChannel || _runBytes.WrittenCount + data.Length > MaxRunLength)) EndRun();
        if (_runBytes.WrittenCount == 0)
        {
            _runStart = _runLast = at;
            _runChannel = channel;
        }
        Invariant.Check(at >= _runLast);
        foreach (byte b in data)
        {
            // A gap is the count since the byte before, and whether an ordinal follows: most bytes go out in an instruction of their own.
            ulong gap = at.InstructionCount - _runLast.InstructionCount;
            bool sameOrdinal = gap != 0 ? at.EventOrdinal == 0 : at.EventOrdinal == _runLast.EventOrdinal;
            VarInt.Write(_runGaps, gap << 1 | (sameOrdinal ? 0UL : 1UL));
            if (!sameOrdinal) VarInt.Write(_runGaps, at.EventOrdinal);
            _runBytes.Write([b]);
            _runLast = at;
        }
    }

    /// <summary>A digest of an earlier position: digests are computed on another thread. The position is written in full.</summary>
    public void WriteDigest(Position of, StateDigest digest)
    {
        EndRun();
        var w = new MessagePackWriter(_records);
        w.WriteArrayHeader(5);
        w.Write((int)LogRecordKind.Digest);
        w.Write(of.InstructionCount);
        w.Write(of.EventOrdinal);
        w.WriteNil();
        Span<byte> bytes = stackalloc byte[StateDigest.SizeBytes];
        digest.CopyTo(bytes);
        w.Write(bytes);
        w.Flush();
        _recordCount++;
    }

    public void WriteCheckpoint(Position at, int index)
    {
        MessagePackWriter w = Begin(LogRecordKind.Checkpoint, at, 4);
        w.Write(index);
        End(ref w, at);
    }

    public void WriteEnd(Position at, Outcome outcome)
    {
        MessagePackWriter w = Begin(LogRecordKind.End, at, 6);
        w.Write((int)outcome.Kind);
        w.Write(Encoding.UTF8.GetBytes(outcome.Detail ?? ""));
        w.Write(outcome.Code);
        End(ref w, at);
        Flush(at);
    }

    /// <summary>Writes what there is as a segment. <paramref name="through"/> is where the machine is now.</summary>
    public void Flush(Position through)
    {
        EndRun();
        new LogSegmentMeta(_base, through, _baseNanoseconds, _baseSequence, _recordCount, _outputByteCount).Write(_meta);
        frames.Append(FrameKind.LogSegment, _meta, _records.WrittenSpan);
        _records.ResetWrittenCount();
        _base = _last = through;
        _baseNanoseconds = _lastNanoseconds;
        _baseSequence = Sequence;
        _recordCount = _outputByteCount = 0;
    }

    private void WriteTime(LogRecordKind kind, Position at, ulong nanoseconds)
    {
        Invariant.Check(nanoseconds >= _lastNanoseconds);
        MessagePackWriter w = Begin(kind, at, 4);
        w.Write(nanoseconds - _lastNanoseconds);
        _lastNanoseconds = nanoseconds;
        EndInput(ref w, at);
    }

    private MessagePackWriter Begin(LogRecordKind kind, Position at, int elementCount)
    {
        EndRun();
        Invariant.Check(at >= _last);
        var w = new MessagePackWriter(_records);
        w.WriteArrayHeader(elementCount);
        w.Write((int)kind);
        w.Write(at.InstructionCount - _last.InstructionCount);
        w.Write(at.EventOrdinal);
        return w;
    }

    private void EndInput(ref MessagePackWriter w, Position at)
    {
        Sequence++;
        End(ref w, at);
    }

    private void End(ref MessagePackWriter w, Position at)
    {
        w.Flush();
        _last = at;
        _recordCount++;
        if (_records.WrittenCount >= SegmentSizeBytes) Flush(at);
    }

    private void EndRun()
    {
        if (_runBytes.WrittenCount == 0) return;
        Invariant.Check(_runStart >= _last);
        var w = new MessagePackWriter(_records);
        w.WriteArrayHeader(6);
        w.Write((int)LogRecordKind.Output);
        w.Write(_runStart.InstructionCount - _last.InstructionCount);
        w.Write(_runStart.EventOrdinal);
        w.Write((int)_runChannel);
        w.Write(_runBytes.WrittenSpan);
        w.Write(_runGaps.WrittenSpan);
        w.Flush();
        // Relative to the run's last byte from here on.
        _last = _runLast;
        _recordCount++;
        _outputByteCount += _runBytes.WrittenCount;
        _runBytes.ResetWrittenCount();
        _runGaps.ResetWrittenCount();
    }
}
