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

    private readonly Dictionary<int, LogSegment> _cache = [];
    private readonly Queue<int> _cacheOrder = new();
    private readonly Position _start;
    /// <summary>What is known of the segments; a longer log is another one.</summary>
    private volatile FrameTable _frames;

    /// <exception cref="RecordingFormatException">The segments do not follow each other.</exception>
    public EventLogReader(FrameTable frames, Position start = default)
    {
        _start = start;
        Check(frames, 0);
        _frames = frames;
    }

    public int SegmentCount => _frames.Count;
    public FrameTable Frames => _frames;
    public LogSegmentMeta Meta(int index) => MetaIn(_frames, index);

    /// <summary>The log is complete up to here.</summary>
    public Position Through => _frames is { Count: > 0 } frames ? MetaIn(frames, frames.Count - 1).Through : _start;

    /// <summary>Input records before its first.</summary>
    public ulong BaseSequence => _frames is { Count: > 0 } frames ? MetaIn(frames, 0).BaseSequence : 0;

    /// <summary>Its input records: all segments say how many came before them, so that only the last one is read.</summary>
    public long InputCount => SegmentCount is > 0 and var count ? (long)(Meta(count - 1).BaseSequence - BaseSequence) + ReadSegment(count - 1).Inputs.Length : 0;

    /// <summary>Goes on with what was written since.</summary>
    /// <param name="frames">Those that are known, and more.</param>
    public void Grow(FrameTable frames)
    {
        Check(frames, _frames.Count);
        _frames = frames;
    }

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
        FrameTable frames = _frames;
        int low = 0, high = frames.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (MetaIn(frames, middle).BaseSequence <= sequence) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private LogSegment DecodeSegment(int index)
    {
        FrameTable frames = _frames;
        try
        {
            LogSegment segment = LogSegment.Decode(MetaIn(frames, index), frames.ReadPayload(index));
            ulong next = segment.BaseSequence + (ulong)segment.Inputs.Length;
            if (index + 1 < frames.Count && next != MetaIn(frames, index + 1).BaseSequence)
                throw frames.Damaged(index, "the log segment has another number of inputs than its successor says");
            return segment;
        }
        catch (MessagePackSerializationException e)
        {
            throw frames.Damaged(index, e.Message);
        }
    }

    private static LogSegmentMeta MetaIn(FrameTable frames, int index) => LogSegmentMeta.Read(frames.Meta(index));

    // Those behind the known ones.
    private void Check(FrameTable frames, int knownCount)
    {
        Vmm.Invariant.Check(frames.Count >= knownCount);
        Position last = knownCount == 0 ? _start : MetaIn(frames, knownCount - 1).Through;
        ulong lastSequence = knownCount == 0 ? 0 : MetaIn(frames, knownCount - 1).BaseSequence;
        for (int i = knownCount; i < frames.Count; i++)
        {
            if (frames[i].Kind != FrameKind.LogSegment || frames[i].MetaLength != LogSegmentMeta.SizeBytes)
                throw frames.Damaged(i, "it is not a log segment");
            LogSegmentMeta meta = MetaIn(frames, i);
            if (meta.Base != last || meta.Through < last || meta.BaseSequence < lastSequence || meta.RecordCount < 0
                || meta.OutputByteCount < 0)
                throw frames.Damaged(i, "the log segment does not continue the one before");
            last = meta.Through;
            lastSequence = meta.BaseSequence;
        }
    }
}
