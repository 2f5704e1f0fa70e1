using System;
using System.Collections.Generic;
using Replay.Packages;
using Vmm.Time;

namespace Replay.Log;

/// <summary>
/// The event log of a recording. Segments are decoded when needed; a few recent ones are kept. Thread-safe, also while the log of a recording
/// that is still being made grows.
/// </summary>
internal sealed class EventLogReader
{
    private const int CachedSegments = 16;

    /// <summary>What is known of the segments; a longer log is another one.</summary>
    private sealed record Index(FrameTable Frames, LogSegmentMeta[] Metas);

    private readonly Dictionary<int, LogSegment> _cache = [];
    private readonly Queue<int> _cacheOrder = new();
    private readonly Position _start;
    private volatile Index _index;

    /// <exception cref="RecordingFormatException">The segments do not follow each other.</exception>
    public EventLogReader(FrameTable frames, Position start = default)
    {
        _start = start;
        _index = new Index(frames, ReadMetas(frames, []));
    }

    public int SegmentCount => _index.Metas.Length;
    public FrameTable Frames => _index.Frames;
    public LogSegmentMeta Meta(int index) => _index.Metas[index];

    /// <summary>The log is complete up to here.</summary>
    public Position Through => _index.Metas is { Length: > 0 } metas ? metas[^1].Through : _start;

    /// <summary>Input records before its first.</summary>
    public ulong BaseSequence => _index.Metas is { Length: > 0 } metas ? metas[0].BaseSequence : 0;

    /// <summary>Its input records: all segments say how many came before them, so that only the last one is read.</summary>
    public long InputCount => SegmentCount is > 0 and var count ? (long)(Meta(count - 1).BaseSequence - BaseSequence) + ReadSegment(count - 1).Inputs.Length : 0;

    /// <summary>Goes on with what was written since.</summary>
    /// <param name="frames">Those that are known, and more.</param>
    public void Grow(FrameTable frames) => _index = new Index(frames, ReadMetas(frames, _index.Metas));

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
        LogSegmentMeta[] metas = _index.Metas;
        int low = 0, high = metas.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (metas[middle].BaseSequence <= sequence) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private LogSegment DecodeSegment(int index)
    {
        (FrameTable frames, LogSegmentMeta[] metas) = _index;
        try
        {
            LogSegment segment = LogSegment.Decode(metas[index], frames.ReadPayload(index));
            ulong next = segment.BaseSequence + (ulong)segment.Inputs.Length;
            if (index + 1 < metas.Length && next != metas[index + 1].BaseSequence)
                throw frames.Damaged(index, "the log segment has another number of inputs than its successor says");
            return segment;
        }
        catch (MessagePackSerializationException e)
        {
            throw frames.Damaged(index, e.Message);
        }
    }

    private LogSegmentMeta[] ReadMetas(FrameTable frames, LogSegmentMeta[] known)
    {
        Vmm.Invariant.Check(frames.Count >= known.Length);
        var metas = new LogSegmentMeta[frames.Count];
        known.CopyTo(metas, 0);
        Position last = known.Length == 0 ? _start : known[^1].Through;
        ulong lastSequence = known.Length == 0 ? 0 : known[^1].BaseSequence;
        for (int i = known.Length; i < metas.Length; i++)
        {
            if (frames[i].Kind != FrameKind.LogSegment || frames[i].MetaLength != LogSegmentMeta.SizeBytes)
                throw frames.Damaged(i, "it is not a log segment");
            LogSegmentMeta meta = LogSegmentMeta.Read(frames.Meta(i));
            if (meta.Base != last || meta.Through < last || meta.BaseSequence < lastSequence || meta.RecordCount < 0
                || meta.OutputByteCount < 0)
                throw frames.Damaged(i, "the log segment does not continue the one before");
            metas[i] = meta;
            last = meta.Through;
            lastSequence = meta.BaseSequence;
        }
        return metas;
    }
}
