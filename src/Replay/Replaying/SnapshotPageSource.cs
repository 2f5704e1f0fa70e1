using System;
using Replay.Checkpoints;
using Vmm.Memory;

namespace Replay.Replaying;

/// <summary>Fetches absent pages of one memory of one machine, from wherever the snapshot that it stands on has them.</summary>
internal sealed class SnapshotPageSource(MemoryDescription memory, PageStore store, PagePool pool) : IPageSource
{
    /// <summary>The snapshot's page map of this memory.</summary>
    public PageMap Map { get; set; } = PageMap.Empty;

    public void ReadPage(int pageIndex, Span<byte> destination)
    {
        int id = Map[pageIndex];
        if (id < 0) pool.Read(id, destination);
        else memory.ReadPage(store, id, pageIndex, destination);
    }
}
