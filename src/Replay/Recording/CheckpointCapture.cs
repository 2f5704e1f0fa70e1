using System;
using System.Collections.Generic;
using Replay.Checkpoints;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Snapshots;

namespace Replay.Recording;

/// <summary>
/// The engine thread's side of a checkpoint: copies the state and the pages written since the last one, and begins a new epoch. Everything
/// else happens on the writer's thread, so that the guest pauses for little more than the copying.
/// </summary>
internal sealed class CheckpointCapture(Machine machine, CheckpointWriter writer)
{
    private readonly StateWriter _state = new();
    private readonly List<int> _dirty = [];
    private readonly CheckpointBatcher _batcher = new(writer);

    /// <summary>Takes checkpoint number <paramref name="index"/> of the machine as it is.</summary>
    public void Take(int index, ulong sequence)
    {
        for (int m = 0; m < machine.PagedMemories.Count; m++)
        {
            PagedMemory memory = machine.PagedMemories[m];
            _dirty.Clear();
            if (index == 0) CollectInitial(memory);
            else memory.CollectDirty(_dirty);
            foreach (int page in _dirty) _batcher.Add(m, page, memory.Page(page));
        }
        machine.BeginEpoch();
        _state.Clear();
        machine.SaveState(_state);
        _batcher.Finish(index, machine.Position, machine.GuestNanoseconds, sequence, _state.Written.ToArray());
    }

    // What the machine's builder put into memory. Absent pages are what a source has there: a disk's image.
    private void CollectInitial(PagedMemory memory)
    {
        for (int page = 0; page < memory.PageCount; page++)
            if ((memory.TraitsOf(page) & PageTraits.Absent) == 0 && !PageHash.IsZero(memory.Page(page))) _dirty.Add(page);
    }
}
