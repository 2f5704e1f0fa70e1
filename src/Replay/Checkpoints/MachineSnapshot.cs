using System;
using Vmm.Time;

namespace Replay.Checkpoints;

/// <summary>
/// A machine's whole state at a position: its saved state, and for each paged memory a map from page to page id. Immutable, so that maps
/// and parts of them are shared.
/// </summary>
internal sealed class MachineSnapshot
{
    public required Position Position { get; init; }
    /// <summary>Input records of the log before it.</summary>
    public required ulong Sequence { get; init; }
    /// <summary>Bytes of a StateWriter.</summary>
    public required ReadOnlyMemory<byte> State { get; init; }
    /// <summary>By memory.</summary>
    public required PageMap[] Maps { get; init; }
    /// <summary>The checkpoint that it is, or that it was reached from.</summary>
    public required int CheckpointIndex { get; init; }
    /// <summary>Holds the pages with negative ids; null when there are none.</summary>
    public PoolPages? Pages { get; init; }
}
