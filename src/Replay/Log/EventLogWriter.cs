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
/// Appends records to the event log. Records collect in memory until <see cref="Flush"/>, or until there are 64 KiB of them, and then
/// become one segment on disk. Positions must not go backwards. Used by the engine's thread only.
/// </summary>
internal sealed class EventLogWriter
{
    private const int SegmentSizeBytes = 64 << 10;
    /// <summary>An output run ends here, so that it stays a small part of a segment.</summary>
    private const int MaxRunLength = 4096;

    private readonly ArrayBufferWriter<byte> _records = new(SegmentSizeBytes * 2);
    private readonly byte[] _meta = new byte[LogSegmentMeta.SizeBytes];
    private FrameWriter _frames;
    private Position _base, _last;
    private ulong _baseNanoseconds, _lastNanoseconds, _baseSequence;
    private int _recordCount, _outputByteCount;

    // The run being collected, of output or of time readings: guests print a byte an instruction and read the time often, and a record for
    // each would be mostly overhead.
    private readonly ArrayBufferWriter<byte> _runBytes = new(MaxRunLength), _runGaps = new(MaxRunLength);
    private LogRecordKind _runKind;
    private Position _runStart, _runLast;
    private OutputChannel _runChannel;

    /// <param name="frames">Where to.</param>
    /// <param name="start">Where the log begins.</param>
    /// <param name="nanoseconds">The host's time that was last logged before.</param>
    /// <param name="sequence">Input records before.</param>
    public EventLogWriter(FrameWriter frames, Position start = default, ulong nanoseconds = 0, ulong sequence = 0)
    {
        _frames = frames;
        _base = _last = start;
        _baseNanoseconds = _lastNanoseconds = nanoseconds;
        _baseSequence = Sequence = sequence;
    }

    /// <summary>Goes on in another file, which has what was written up to now. Nothing may be waiting for <see cref="Flush"/>.</summary>
    public void ContinueIn(FrameWriter frames)
    {
        Invariant.Check(_recordCount == 0 && _runKind == 0);
        _frames = frames;
    }

    /// <summary>Input records so far.</summary>
    public ulong Sequence { get; private set; }

    public void WriteInput(Position at, in InputEvent input)
    {
        if (input.Kind == InputKind.Time)
        {
            ulong nanoseconds = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(input.Data.Span);
            MessagePackWriter t = Begin(LogRecordKind.TimeInput, at, 4);
            t.Write(TimeStep(nanoseconds));
            EndInput(ref t, at);
            return;
        }
        MessagePackWriter w = Begin((LogRecordKind)input.Kind, at, 5);
        w.Write(input.Unit);
        w.Write(input.Data.Span);
        EndInput(ref w, at);
    }

    public void WriteTimeRead(Position at, ulong nanoseconds)
    {
        JoinRun(LogRecordKind.TimeRead, default, at, 10);
        AddGap(at);
        VarInt.Write(_runBytes, TimeStep(nanoseconds));
        Sequence++;
    }

    public void WriteEntropy(Position at, ReadOnlySpan<byte> data)
    {
        MessagePackWriter w = Begin(LogRecordKind.EntropyRead, at, 4);
        w.Write(data);
        EndInput(ref w, at);
    }

    public void WriteOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        JoinRun(LogRecordKind.Output, channel, at, data.Length);
        foreach (byte b in data)
        {
            AddGap(at);
            _runBytes.Write([b]);
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
        _frames.Append(FrameKind.LogSegment, _meta, _records.WrittenSpan);
        _records.ResetWrittenCount();
        _base = _last = through;
        _baseNanoseconds = _lastNanoseconds;
        _baseSequence = Sequence;
        _recordCount = _outputByteCount = 0;
    }

    private ulong TimeStep(ulong nanoseconds)
    {
        Invariant.Check(nanoseconds >= _lastNanoseconds);
        ulong step = nanoseconds - _lastNanoseconds;
        _lastNanoseconds = nanoseconds;
        return step;
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

    // Ends the run that is being collected unless it is of this sort and has room, and begins one if there is none.
    private void JoinRun(LogRecordKind kind, OutputChannel channel, Position at, int lengthBytes)
    {
        if (_runKind != kind || _runChannel != channel || _runBytes.WrittenCount + lengthBytes > MaxRunLength) EndRun();
        if (_runKind == kind)
        {
            Invariant.Check(at >= _runLast);
            return;
        }
        Invariant.Check(at >= _last);
        _runKind = kind;
        _runChannel = channel;
        _runStart = _runLast = at;
    }

    // A gap is the count since the byte or reading before, and whether an ordinal follows: most happen in an instruction of their own.
    private void AddGap(Position at)
    {
        ulong gap = at.InstructionCount - _runLast.InstructionCount;
        bool sameOrdinal = gap != 0 ? at.EventOrdinal == 0 : at.EventOrdinal == _runLast.EventOrdinal;
        VarInt.Write(_runGaps, gap << 1 | (sameOrdinal ? 0UL : 1UL));
        if (!sameOrdinal) VarInt.Write(_runGaps, at.EventOrdinal);
        _runLast = at;
    }

    private void EndRun()
    {
        if (_runKind == 0) return;
        bool isOutput = _runKind == LogRecordKind.Output;
        var w = new MessagePackWriter(_records);
        w.WriteArrayHeader(6);
        w.Write((int)_runKind);
        w.Write(_runStart.InstructionCount - _last.InstructionCount);
        w.Write(_runStart.EventOrdinal);
        w.Write((int)_runChannel);
        w.Write(_runBytes.WrittenSpan);
        w.Write(_runGaps.WrittenSpan);
        w.Flush();
        if (isOutput) _outputByteCount += _runBytes.WrittenCount;
        // What follows is relative to the run's last position.
        _last = _runLast;
        _recordCount++;
        _runKind = 0;
        _runChannel = 0;
        _runBytes.ResetWrittenCount();
        _runGaps.ResetWrittenCount();
        if (_records.WrittenCount >= SegmentSizeBytes) Flush(_last);
    }
}
