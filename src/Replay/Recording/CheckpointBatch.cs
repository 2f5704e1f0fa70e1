using System;
using System.Collections.Generic;
using Replay.Checkpoints;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Pages copied on the engine's thread for a checkpoint. A checkpoint with many pages is several batches, so that the memory between the
/// engine and the writer stays bounded; the last one carries the state.
/// </summary>
internal sealed class CheckpointBatch
{
    public const int MaxPages = 4096;

    /// <summary>In ascending order within a memory: which memory, which page. The content of those that are not all zeros follows in <see cref="Slabs"/> in this order.</summary>
    public List<(int MemoryIndex, int PageIndex, bool IsZero)> Pages { get; } = [];
    public List<byte[]> Slabs { get; } = [];
    /// <summary>How many pages are in <see cref="Slabs"/>.</summary>
    public int CopiedCount { get; set; }

    /// <summary>The last batch of its checkpoint; the rest is set only then.</summary>
    public bool IsLast { get; set; }
    public int Index { get; set; }
    public Position Position { get; set; }
    public ulong GuestNanoseconds { get; set; }
    public ulong Sequence { get; set; }
    public byte[] State { get; set; } = [];
}
