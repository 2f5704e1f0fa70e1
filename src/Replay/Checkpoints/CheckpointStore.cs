using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Log;
using Replay.Packages;
using Vmm.Time;

namespace Replay.Checkpoints;

/// <summary>The checkpoints of a recording, to read. Recently used ones are kept whole. Thread-safe, also
/// while a recording that is still being made grows.</summary>
internal sealed class CheckpointStore
{
    private const int CachedSnapshots = 12;
    private const int MaxStateSizeBytes = 64 << 20;
    /// <summary>What is known of the checkpoints; more of them are another one.</summary>
    private sealed record Index(FrameTable Frames, int PageCountInStore);

    private readonly Lock _gate = new();
    private readonly LinkedList<MachineSnapshot> _cache = new();
    private readonly Position _start;
    private volatile Index _index;

    /// <summary>A part's first frame is the memory table; each other is a checkpoint.</summary>
    /// <exception cref="RecordingFormatException">The checkpoints do not follow each other.</exception>
    public CheckpointStore(FrameTable frames, int pageCountInStore, Position start, Func<string, ReadOnlyMemory<byte>> findImage)
    {
        if (frames.Count < 2 || frames[0].Kind != FrameKind.MemoryTable)
            throw frames.Part.Damaged(0, "there is no checkpoint at the start");
        try
        {
            Layout = MemoryLayout.Decode(frames.ReadPayload(0), findImage);
        }
        catch (MessagePackSerializationException e)
        {
            throw frames.Damaged(0, e.Message);
        }
        _start = start;
        Check(frames, 0);
        _index = new Index(frames, pageCountInStore);
    }

    public MemoryLayout Layout { get; }
    public FrameTable Frames => _index.Frames;
    public int Count => _index.Frames.Count - 1;
    public IReadOnlyList<CheckpointInfo> Infos => new CheckpointList(_index.Frames);
    public CheckpointMeta Meta(int index) => MetaIn(_index.Frames, index);
    public Position PositionOf(int index) => Meta(index).Position;

    /// <summary>Goes on with what was written since.</summary>
    /// <param name="frames">Those that are known, and more.</param>
    /// <param name="pageCountInStore">Pages that there are now.</param>
    public void Grow(FrameTable frames, int pageCountInStore)
    {
        Check(frames, Count);
        _index = new Index(frames, pageCountInStore);
    }

    private static CheckpointMeta MetaIn(FrameTable frames, int index) => CheckpointMeta.Read(frames.Meta(index + 1));

    // Those behind the known ones.
    private void Check(FrameTable frames, int knownCount)
    {
        Vmm.Invariant.Check(frames.Count > knownCount);
        CheckpointMeta last = knownCount == 0 ? default : MetaIn(frames, knownCount - 1);
        for (int i = knownCount; i < frames.Count - 1; i++)
        {
            FrameInfo frame = frames[i + 1];
            if (frame.Kind != FrameKind.Checkpoint || frame.MetaLength != CheckpointMeta.SizeBytes)
                throw frames.Damaged(i + 1, "it is not a checkpoint");
            CheckpointMeta meta = MetaIn(frames, i);
            bool follows = i == 0 ? meta.Position == _start && meta.IsKey && (meta.Sequence == 0 || _start > Position.Start)
                : meta.Position > last.Position && meta.Sequence >= last.Sequence;
            if (meta.Index != i || !follows || meta.DirtyPageCount < 0)
                throw frames.Damaged(i + 1, "the checkpoint does not follow the one before");
            last = meta;
        }
    }

    /// <summary>The last checkpoint at or before a position.</summary>
    public int FindAtOrBefore(Position position)
    {
        FrameTable frames = _index.Frames;
        int low = 0, high = frames.Count - 2;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (MetaIn(frames, middle).Position <= position) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// <summary>A checkpoint whole.</summary>
    public MachineSnapshot Load(int index)
    {
        MachineSnapshot? last;
        lock (_gate)
        {
            for (LinkedListNode<MachineSnapshot>? node = _cache.First; node is not null; node = node.Next)
            {
                if (node.Value.CheckpointIndex != index) continue;
                _cache.Remove(node);
                _cache.AddFirst(node);
                return node.Value;
            }
            last = _cache.First?.Value;
        }
        MachineSnapshot loaded = Materialise(index, last);
        lock (_gate)
        {
            _cache.AddFirst(loaded);
            if (_cache.Count > CachedSnapshots) _cache.RemoveLast();
        }
        return loaded;
    }

    /// <summary>Whether a page was written between the checkpoint before <paramref name="index"/> and it.</summary>
    public bool WasWritten(int index, int memoryIndex, int pageIndex)
    {
        CheckpointContent content = ReadContent(index);
        return PageMapCoding.Contains(content.Changes[memoryIndex].Span, pageIndex, Layout[memoryIndex].PageCount, _index.PageCountInStore);
    }

    /// <summary>The pages written between the checkpoint before <paramref name="index"/> and it, by memory; and the machine's saved state there.</summary>
    public (ReadOnlyMemory<byte> State, List<PageChange>[] Changes) ReadChanges(int index)
    {
        CheckpointContent content = ReadContent(index);
        var changes = new List<PageChange>[Layout.Count];
        try
        {
            for (int m = 0; m < changes.Length; m++) changes[m] = PageMapCoding.Decode(content.Changes[m].Span, Layout[m].PageCount, _index.PageCountInStore);
        }
        catch (MessagePackSerializationException e)
        {
            throw _index.Frames.Damaged(index + 1, e.Message);
        }
        return (content.State, changes);
    }

    // It shares what it can with another one.
    private MachineSnapshot Materialise(int index, MachineSnapshot? like)
    {
        int key = index;
        while (!Meta(key).IsKey) key--;
        int[][] maps = Layout.RentUntouchedMaps();
        try
        {
            CheckpointContent content = ReadContent(key);
            Apply(key, content.KeyMaps!, maps);
            for (int i = key + 1; i <= index; i++)
            {
                content = ReadContent(i);
                Apply(i, content.Changes, maps);
            }
            CheckpointMeta meta = Meta(index);
            var made = new PageMap[maps.Length];
            for (int m = 0; m < made.Length; m++) made[m] = PageMap.Of(maps[m].AsSpan(0, Layout[m].PageCount), like?.Maps[m]);
            // The state is a part of what was read, and outlives the rest of it.
            return new MachineSnapshot { Position = meta.Position, Sequence = meta.Sequence, State = content.State.ToArray(), Maps = made, CheckpointIndex = index };
        }
        finally
        {
            MemoryLayout.Return(maps);
        }
    }

    private void Apply(int index, ReadOnlyMemory<byte>[] encoded, int[][] maps)
    {
        try
        {
            for (int m = 0; m < maps.Length; m++) PageMapCoding.Apply(encoded[m].Span, maps[m].AsSpan(0, Layout[m].PageCount), _index.PageCountInStore);
        }
        catch (MessagePackSerializationException e)
        {
            throw _index.Frames.Damaged(index + 1, e.Message);
        }
    }

    private readonly record struct CheckpointContent(ReadOnlyMemory<byte> State, ReadOnlyMemory<byte>[] Changes,
        ReadOnlyMemory<byte>[]? KeyMaps);

    private CheckpointContent ReadContent(int index)
    {
        byte[] payload = _index.Frames.ReadPayload(index + 1);
        try
        {
            var reader = new MessagePackReader(payload);
            if (reader.ReadArrayHeader() != 3)
                throw new MessagePackSerializationException("a checkpoint has another number of elements than 3");
            ReadOnlyMemory<byte> state = reader.ReadBinary();
            if (state.Length > MaxStateSizeBytes) throw new MessagePackSerializationException("the machine's state is too long");
            ReadOnlyMemory<byte>[] changes = ReadMaps(ref reader);
            ReadOnlyMemory<byte>[]? keys = reader.TryReadNil() ? null : ReadMaps(ref reader);
            if (keys is null == Meta(index).IsKey)
                throw new MessagePackSerializationException("the page maps are not what the index says");
            return new CheckpointContent(state, changes, keys);
        }
        catch (MessagePackSerializationException e)
        {
            throw _index.Frames.Damaged(index + 1, e.Message);
        }
    }

    private ReadOnlyMemory<byte>[] ReadMaps(ref MessagePackReader reader)
    {
        if (reader.ReadArrayHeader() != Layout.Count)
            throw new MessagePackSerializationException("a checkpoint has another number of memories than the machine");
        var maps = new ReadOnlyMemory<byte>[Layout.Count];
        for (int i = 0; i < maps.Length; i++) maps[i] = reader.ReadBinary();
        return maps;
    }
}
