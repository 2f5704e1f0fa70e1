using System.Collections;
using System.Collections.Generic;
using Replay.Packages;

namespace Replay.Checkpoints;

/// <summary>What the index knows of a recording's checkpoints, read when it is asked for.</summary>
/// <param name="frames">The table of memories, then the checkpoints.</param>
internal sealed class CheckpointList(FrameTable frames) : IReadOnlyList<CheckpointInfo>
{
    public int Count => frames.Count - 1;

    public CheckpointInfo this[int index]
    {
        get
        {
            CheckpointMeta meta = CheckpointMeta.Read(frames.Meta(index + 1));
            return new CheckpointInfo(index, meta.Position, meta.GuestNanoseconds, meta.Digest, meta.DirtyPageCount, frames[index + 1].SizeBytes);
        }
    }

    public IEnumerator<CheckpointInfo> GetEnumerator()
    {
        for (int i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
