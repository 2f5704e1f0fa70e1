using System;
using System.Collections.Generic;
using Replay.Packages;
using Vmm.Time;

namespace Replay.Log;

/// <summary>The event log of a recording. Segments are decoded when needed; a few recent ones are kept. Thread-safe.</summary>
internal sealed class EventLogReader
{
    private const int CachedSegments = 16;
    private readonly FrameTable _frames;
    private readonly LogSegmentMeta[] _metas;
    private readonly Dictionary<int, LogSegment> _cache = [];
    private readonly Queue<int> _cacheOrder = new();

    /// <exception cref="RecordingFormatException">The segments do not follow each other.</exception>
    public EventLogReader(FrameTable frames)
    {
        _frames = frames;
        _metas = new LogSegmentMeta[frames.Count];
        Position last = Position.Start;
        ulong lastSequence = 0;
        for (int i = 0; i < _metas.Length; i++)
        {
            if (frames[i].Kind != FrameKind.LogSegment || frames[i].MetaLength != LogSegmentMeta.SizeBytes)
                throw frames.Damaged(i, "it is not a log segment");
            LogSegmentMeta meta = LogSegmentMeta.Read(frames.Meta(i));
            if (meta.Base != last || meta.Through < last || meta.BaseSequence < lastSequence || meta.RecordCount < 0
                || meta.OutputByteCount < 0)
                throw frames.Damaged(i, "the log segment does not continue the one before");
            _metas[i] = meta;
            last = meta.Through;
            lastSequence = meta.BaseSequence;
        }
    }

    public int SegmentCount => _metas.Length;
    public FrameTable Frames => _frames;
    public LogSegmentMeta Meta(int index) => _metas[index];

    /// <summary>The log is complete up to here.</summary>
    public Position Through => _metas.Length == 0 ? Position.Start : _metas[^1].Through;

    public LogSegment ReadSegment(int index)
    {
        lock (_cache)
            if (_cache.TryGetValue(index, out LogSegment? cached)) return cached;
        LogSegment segment = DecodeSegment(index);
        lock (_cache)
        {
            if (!_cache.TryAdd(index, segment)) return segment;
            _cacheOrder.Enqueue(index);
            if (_cacheOrder.Count > CachedSegments) _cache.Remove(_cacheOrder.Dequeue());
        }
        return segment;
    }

    /// <summary>All records, in the order of the log.</summary>
    public IEnumerable<LogRecord> ReadAll()
    {
        for (int i = 0; i < SegmentCount; i++)
            foreach (LogRecord record in DecodeSegment(i).Records)
                yield return record;
    }

    /// <summary>Index of the segment that holds input record number <paramref name="sequence"/>, or would if there was one.</summary>
    public int FindSegmentOfInput(ulong sequence)
    {
        int low = 0, high = SegmentCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_metas[middle].BaseSequence <= sequence) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private LogSegment DecodeSegment(int index)
    {
        try
        {
            LogSegment segment = LogSegment.Decode(_metas[index], _frames.ReadPayload(index));
            ulong next = segment.BaseSequence + (ulong)segment.Inputs.Length;
            if (index + 1 < SegmentCount && next != _metas[index + 1].BaseSequence)
                throw _frames.Damaged(index, "the log segment has another number of inputs than its successor says");
            return segment;
        }
        catch (MessagePackSerializationException e)
        {
            throw _frames.Damaged(index, e.Message);
        }
    }
}
