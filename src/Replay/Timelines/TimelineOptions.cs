namespace Replay.Timelines;

/// <summary>Limits of a timeline.</summary>
public sealed record TimelineOptions
{
    /// <summary>Machines side by side in reverse scans; 0: one per core.</summary>
    public int MaxParallelism { get; init; }

    /// <summary>For snapshots near the cursor and decompressed pages; and as much again for machines that wait for the next scan.</summary>
    public long MemoryBudgetBytes { get; init; } = 512L << 20;
}
