using Vmm.Time;

namespace Replay.Checkpoints;

/// <summary>One checkpoint of a recording.</summary>
/// <param name="Index">Its number, from 0 at the start.</param>
/// <param name="Position">Where it was taken.</param>
/// <param name="GuestNanoseconds">Guest time there.</param>
/// <param name="Digest">State digest there.</param>
/// <param name="DirtyPageCount">Pages written since the checkpoint before.</param>
/// <param name="SizeBytes">Its size in the file, pages not counted.</param>
public readonly record struct CheckpointInfo(int Index, Position Position, ulong GuestNanoseconds, StateDigest Digest, int DirtyPageCount,
    long SizeBytes);
