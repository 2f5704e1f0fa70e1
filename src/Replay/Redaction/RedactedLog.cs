using System;
using System.Buffers;
using System.Collections.Generic;
using Replay.Log;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Redaction;

/// <summary>
/// The log's bytes without what is to be taken out. What is typed or printed comes in many records: each kind and unit is one stream, in which texts are found wherever records begin.
/// </summary>
internal sealed class RedactedLog
{
    private sealed class Stream
    {
        public readonly ArrayBufferWriter<byte> Bytes = new();
        public readonly List<(int Start, Position At)> Records = [];
        public bool[] IsTaken = [];
        public int Next;
    }

    private readonly Dictionary<(LogRecordKind Kind, int Unit), Stream> _streams = [];
    private readonly List<Position> _changes = [];

    /// <summary>Reads the log.</summary>
    /// <param name="log">All of it.</param>
    /// <param name="typed">What is typed in between is taken out, but for ends of lines; null: nothing because of that.</param>
    public RedactedLog(EventLogReader log, (Position From, Position Before)? typed)
    {
        foreach (LogRecord record in log.ReadAll())
        {
            if (!HasBytes(record)) continue;
            if (!_streams.TryGetValue(KeyOf(record), out Stream? stream)) _streams.Add(KeyOf(record), stream = new Stream());
            stream.Records.Add((stream.Bytes.WrittenCount, record.At));
            stream.Bytes.Write(record.Data.Span);
        }
        foreach (((LogRecordKind kind, _), Stream stream) in _streams)
        {
            stream.IsTaken = new bool[stream.Bytes.WrittenCount];
            if (typed is { } range && IsTyped(kind)) TakeTyped(stream, kind, range.From, range.Before);
        }
    }

    /// <summary>Lines that were typed and are taken out: they may be elsewhere, too.</summary>
    public List<byte[]> TypedLines { get; } = [];

    /// <summary>From the first to the last byte of each text that was typed: what stands in between has a part of it.</summary>
    public List<(Position First, Position Last)> Typing { get; } = [];

    /// <summary>Bytes taken out.</summary>
    public long TakenCount { get; private set; }

    /// <summary>Takes out texts wherever they are.</summary>
    public void Take(Needles needles)
    {
        var found = new List<ByteSpan>();
        foreach (((LogRecordKind kind, _), Stream stream) in _streams)
        {
            found.Clear();
            needles.Find(stream.Bytes.WrittenSpan, found);
            foreach (ByteSpan span in found)
            {
                stream.IsTaken.AsSpan(span.Start, span.Length).Fill(true);
                if (IsTyped(kind)) Typing.Add((PositionOf(stream, span.Start), PositionOf(stream, span.End - 1)));
            }
        }
    }

    /// <summary>Nothing more is taken: what is changed is known from here on.</summary>
    public void Finish()
    {
        foreach (Stream stream in _streams.Values)
        {
            for (int i = 0; i < stream.Records.Count; i++)
            {
                int start = stream.Records[i].Start, end = i + 1 < stream.Records.Count ? stream.Records[i + 1].Start : stream.IsTaken.Length;
                int count = stream.IsTaken.AsSpan(start, end - start).Count(true);
                if (count > 0) _changes.Add(stream.Records[i].At);
                TakenCount += count;
            }
        }
        _changes.Sort();
    }

    /// <summary>The first record that is changed, from a position on and before another; null: none is.</summary>
    public Position? FirstChange(Position from, Position before)
    {
        int index = _changes.BinarySearch(from);
        if (index < 0) index = ~index;
        while (index > 0 && _changes[index - 1] == from) index--;
        return index < _changes.Count && _changes[index] < before ? _changes[index] : null;
    }

    /// <summary>Begins with the first record again.</summary>
    public void Restart()
    {
        foreach (Stream stream in _streams.Values) stream.Next = 0;
    }

    /// <summary>A record as it is to be written. Asked for each record once, in the log's order.</summary>
    public LogRecord Rewrite(in LogRecord record)
    {
        if (!HasBytes(record)) return record;
        Stream stream = _streams[KeyOf(record)];
        int start = stream.Next;
        stream.Next += record.Data.Length;
        Span<bool> isTaken = stream.IsTaken.AsSpan(start, record.Data.Length);
        if (!isTaken.Contains(true)) return record;
        byte[] data = record.Data.ToArray();
        for (int i = 0; i < data.Length; i++)
            if (isTaken[i]) data[i] = RecordingRedactor.Filler;
        return record with { Data = data };
    }

    private void TakeTyped(Stream stream, LogRecordKind kind, Position from, Position before)
    {
        ReadOnlySpan<byte> bytes = stream.Bytes.WrittenSpan;
        int line = -1;
        for (int i = 0; i <= bytes.Length; i++)
        {
            Position at = i < bytes.Length ? PositionOf(stream, i) : before;
            // A key is a code and not a character; where a line ends stays visible.
            bool isIn = i < bytes.Length && at >= from && at < before && (IsKeyboard(kind) || bytes[i] is not ((byte)'\r' or (byte)'\n'));
            if (isIn)
            {
                stream.IsTaken[i] = true;
                if (line < 0) line = i;
                continue;
            }
            if (line >= 0)
            {
                Typing.Add((PositionOf(stream, line), PositionOf(stream, i - 1)));
                if (i - line is >= Needles.ShortestLength and <= Needles.LongestLength) TypedLines.Add(bytes[line..i].ToArray());
            }
            line = -1;
        }
    }

    private static Position PositionOf(Stream stream, int index)
    {
        int low = 0, high = stream.Records.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (stream.Records[middle].Start <= index) low = middle;
            else high = middle - 1;
        }
        return stream.Records[low].At;
    }

    private static bool IsKeyboard(LogRecordKind kind) => (int)kind == (int)InputKind.Keyboard;

    private static bool IsTyped(LogRecordKind kind) => (InputKind)kind is InputKind.Serial or InputKind.Keyboard or InputKind.VirtioConsole;

    private static bool HasBytes(in LogRecord record) =>
        record.Data.Length > 0 && record.Kind is not (LogRecordKind.Digest or LogRecordKind.Checkpoint or LogRecordKind.TimeInput or LogRecordKind.TimeRead or LogRecordKind.End);

    private static (LogRecordKind Kind, int Unit) KeyOf(in LogRecord record) => (record.Kind, record.Unit);
}
