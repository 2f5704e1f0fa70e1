using System;
using System.Collections.Generic;
using Replay.Checkpoints;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>
/// Snapshots in memory, dense near the cursor: they make a repeated step back cheap. In ascending order of position; when over budget,
/// those farthest from the cursor go first.
/// </summary>
internal sealed class NearbySnapshots(PagePool pool, long budgetBytes)
{
    private const int MaxCount = 256;
    private readonly List<Kept> _snapshots = [];
    private long _sizeBytes;

    /// <summary>One of them.</summary>
    /// <param name="Snapshot">It.</param>
    /// <param name="SizeBytes">What it takes beside the one before it, from which it may have parts of its maps; pages not counted, which the pool counts.</param>
    private readonly record struct Kept(MachineSnapshot Snapshot, long SizeBytes);

    public int Count => _snapshots.Count;

    public MachineSnapshot this[int index] => _snapshots[index].Snapshot;

    /// <summary>The last one at or before a position; null: none.</summary>
    public MachineSnapshot? FindAtOrBefore(Position position)
    {
        int index = IndexAfter(position);
        return index == 0 ? null : this[index - 1];
    }

    /// <summary>Takes over a snapshot with the caller's hold on its pages.</summary>
    public void Add(MachineSnapshot snapshot, Position cursor)
    {
        int index = IndexAfter(snapshot.Position);
        if (index > 0 && this[index - 1].Position == snapshot.Position)
        {
            snapshot.Pages?.Release();
            return;
        }
        _snapshots.Insert(index, new Kept(snapshot, 0));
        Measure(index);
        Measure(index + 1);
        while (_snapshots.Count > 1 && (_snapshots.Count > MaxCount || _sizeBytes + pool.UsedSizeBytes > budgetBytes)) RemoveFarthest(cursor);
    }

    public void Clear()
    {
        foreach (Kept kept in _snapshots) kept.Snapshot.Pages?.Release();
        _snapshots.Clear();
        _sizeBytes = 0;
    }

    private void RemoveFarthest(Position cursor)
    {
        bool firstIsFarther = Distance(this[0].Position, cursor) >= Distance(this[^1].Position, cursor);
        int index = firstIsFarther ? 0 : _snapshots.Count - 1;
        Kept removed = _snapshots[index];
        _snapshots.RemoveAt(index);
        _sizeBytes -= removed.SizeBytes;
        Measure(index);
        removed.Snapshot.Pages?.Release();
    }

    // What one takes depends on which one is before it.
    private void Measure(int index)
    {
        if (index >= _snapshots.Count) return;
        (MachineSnapshot snapshot, long known) = _snapshots[index];
        long size = snapshot.State.Length + (snapshot.Pages?.SizeBytes ?? 0);
        for (int m = 0; m < snapshot.Maps.Length; m++) size += snapshot.Maps[m].SizeBytesBeside(index > 0 ? this[index - 1].Maps[m] : null);
        _snapshots[index] = new Kept(snapshot, size);
        _sizeBytes += size - known;
    }

    private int IndexAfter(Position position)
    {
        int low = 0, high = _snapshots.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (this[middle].Position <= position) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static ulong Distance(Position a, Position b) =>
        a > b ? a.InstructionCount - b.InstructionCount : b.InstructionCount - a.InstructionCount;
}
