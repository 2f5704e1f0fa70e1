using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Log;
using Replay.Packages;
using Vmm.Time;

namespace Replay.Checkpoints;

/// <summary>The checkpoints of a recording, to read. Recently used ones are kept whole. Thread-safe.</summary>
internal sealed class CheckpointStore
{
    private const int CachedSnapshots = 12;
    private const int MaxStateSizeBytes = 64 << 20;
    private readonly FrameTable _frames;
    private readonly CheckpointMeta[] _metas;
    private readonly CheckpointInfo[] _infos;
    private readonly int _pageCountInStore;
    private readonly Lock _gate = new();
    private readonly LinkedList<MachineSnapshot> _cache = new();

    /// <summary>A part's first frame is the memory table; each other is a checkpoint.</summary>
    /// <exception cref="RecordingFormatException">The checkpoints do not follow each other.</exception>
    public CheckpointStore(FrameTable frames, int pageCountInStore, Func<string, ReadOnlyMemory<byte>> findImage)
    {
        _frames = frames;
        _pageCountInStore = pageCountInStore;
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
        _metas = new CheckpointMeta[frames.Count - 1];
        _infos = new CheckpointInfo[_metas.Length];
        for (int i = 0; i < _metas.Length; i++)
        {
            FrameInfo frame = frames[i + 1];
            if (frame.Kind != FrameKind.Checkpoint || frame.MetaLength != CheckpointMeta.SizeBytes)
                throw frames.Damaged(i + 1, "it is not a checkpoint");
            CheckpointMeta meta = CheckpointMeta.Read(frames.Meta(i + 1));
            bool follows = i == 0 ? meta.Position == Position.Start && meta.IsKey && meta.Sequence == 0
                : meta.Position > _metas[i - 1].Position && meta.Sequence >= _metas[i - 1].Sequence;
            if (meta.Index != i || !follows || meta.DirtyPageCount < 0)
                throw frames.Damaged(i + 1, "the checkpoint does not follow the one before");
            _metas[i] = meta;
            _infos[i] = new CheckpointInfo(i, meta.Position, meta.GuestNanoseconds, meta.Digest, meta.DirtyPageCount, frame.SizeBytes);
        }
    }

    public MemoryLayout Layout { get; }
    public FrameTable Frames => _frames;
    public int Count => _metas.Length;
    public IReadOnlyList<CheckpointInfo> Infos => _infos;
    public CheckpointMeta Meta(int index) => _metas[index];
    public Position PositionOf(int index) => _metas[index].Position;

    /// <summary>The last checkpoint at or before a position.</summary>
    public int FindAtOrBefore(Position position)
    {
        int low = 0, high = Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_metas[middle].Position <= position) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// <summary>A checkpoint whole.</summary>
    public MachineSnapshot Load(int index)
    {
        lock (_gate)
            for (LinkedListNode<MachineSnapshot>? node = _cache.First; node is not null; node = node.Next)
            {
                if (node.Value.CheckpointIndex != index) continue;
                _cache.Remove(node);
                _cache.AddFirst(node);
                return node.Value;
            }
        MachineSnapshot loaded = Materialise(index);
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
        return PageMapCoding.Contains(content.Changes[memoryIndex].Span, pageIndex, Layout[memoryIndex].PageCount, _pageCountInStore);
    }

    private MachineSnapshot Materialise(int index)
    {
        int key = index;
        while (!_metas[key].IsKey) key--;
        int[][] maps = Layout.UntouchedMaps();
        CheckpointContent content = ReadContent(key);
        Apply(key, content.KeyMaps!, maps);
        for (int i = key + 1; i <= index; i++)
        {
            content = ReadContent(i);
            Apply(i, content.Changes, maps);
        }
        return new MachineSnapshot
        {
            Position = _metas[index].Position, Sequence = _metas[index].Sequence, State = content.State, Maps = maps,
                CheckpointIndex = index,
        };
    }

    private void Apply(int index, ReadOnlyMemory<byte>[] encoded, int[][] maps)
    {
        try
        {
            for (int m = 0; m < maps.Length; m++) PageMapCoding.Apply(encoded[m].Span, maps[m], _pageCountInStore);
        }
        catch (MessagePackSerializationException e)
        {
            throw _frames.Damaged(index + 1, e.Message);
        }
    }

    private readonly record struct CheckpointContent(ReadOnlyMemory<byte> State, ReadOnlyMemory<byte>[] Changes,
        ReadOnlyMemory<byte>[]? KeyMaps);

    private CheckpointContent ReadContent(int index)
    {
        byte[] payload = _frames.ReadPayload(index + 1);
        try
        {
            var reader = new MessagePackReader(payload);
            if (reader.ReadArrayHeader() != 3)
                throw new MessagePackSerializationException("a checkpoint has another number of elements than 3");
            ReadOnlyMemory<byte> state = reader.ReadBinary();
            if (state.Length > MaxStateSizeBytes) throw new MessagePackSerializationException("the machine's state is too long");
            ReadOnlyMemory<byte>[] changes = ReadMaps(ref reader);
            ReadOnlyMemory<byte>[]? keys = reader.TryReadNil() ? null : ReadMaps(ref reader);
            if (keys is null == _metas[index].IsKey)
                throw new MessagePackSerializationException("the page maps are not what the index says");
            return new CheckpointContent(state, changes, keys);
        }
        catch (MessagePackSerializationException e)
        {
            throw _frames.Damaged(index + 1, e.Message);
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
