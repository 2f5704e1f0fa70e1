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
    private readonly List<MachineSnapshot> _snapshots = [];
    private long _mapSizeBytes;

    public IReadOnlyList<MachineSnapshot> All => _snapshots;

    /// <summary>The last one at or before a position; null: none.</summary>
    public MachineSnapshot? FindAtOrBefore(Position position)
    {
        int index = IndexAfter(position);
        return index == 0 ? null : _snapshots[index - 1];
    }

    /// <summary>Takes over a snapshot with the caller's hold on its pages.</summary>
    public void Add(MachineSnapshot snapshot, Position cursor)
    {
        int index = IndexAfter(snapshot.Position);
        if (index > 0 && _snapshots[index - 1].Position == snapshot.Position)
        {
            snapshot.Pages?.Release();
            return;
        }
        _snapshots.Insert(index, snapshot);
        _mapSizeBytes += SizeOf(snapshot);
        while (_snapshots.Count > 1 && (_snapshots.Count > MaxCount
            || _mapSizeBytes + pool.UsedSizeBytes > budgetBytes)) RemoveFarthest(cursor);
    }

    public void Clear()
    {
        foreach (MachineSnapshot snapshot in _snapshots) snapshot.Pages?.Release();
        _snapshots.Clear();
        _mapSizeBytes = 0;
    }

    private void RemoveFarthest(Position cursor)
    {
        MachineSnapshot first = _snapshots[0], last = _snapshots[^1];
        bool firstIsFarther = Distance(first.Position, cursor) >= Distance(last.Position, cursor);
        MachineSnapshot removed = firstIsFarther ? first : last;
        _snapshots.RemoveAt(firstIsFarther ? 0 : _snapshots.Count - 1);
        _mapSizeBytes -= SizeOf(removed);
        removed.Pages?.Release();
    }

    private int IndexAfter(Position position)
    {
        int low = 0, high = _snapshots.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_snapshots[middle].Position <= position) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static ulong Distance(Position a, Position b) =>
        a > b ? a.InstructionCount - b.InstructionCount : b.InstructionCount - a.InstructionCount;

    private static long SizeOf(MachineSnapshot snapshot)
    {
        long size = snapshot.State.Length;
        foreach (int[] map in snapshot.Maps) size += map.Length * sizeof(int);
        return size;
    }
}
