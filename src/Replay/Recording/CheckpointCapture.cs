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

    /// <summary>Takes checkpoint number <paramref name="index"/> of the machine as it is; number 0 of one that has just been built.</summary>
    public void Take(int index, ulong sequence)
    {
        for (int m = 0; m < machine.PagedMemories.Count; m++)
        {
            PagedMemory memory = machine.PagedMemories[m];
            _dirty.Clear();
            memory.CollectDirty(_dirty);
            // What the machine's builder has written and left zero is what untouched memory is.
            if (index == 0) _dirty.RemoveAll(page => PageHash.IsZero(memory.Page(page)));
            foreach (int page in _dirty) _batcher.Add(m, page, memory.Page(page));
        }
        machine.BeginEpoch();
        _state.Clear();
        machine.SaveState(_state);
        _batcher.Finish(index, machine.Position, machine.GuestNanoseconds, sequence, _state.Written.ToArray());
    }
}
