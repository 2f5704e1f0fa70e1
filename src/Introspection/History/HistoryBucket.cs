using System.Collections.Generic;

namespace Introspection.History;

/// <summary>A part of a window.</summary>
/// <param name="cpuCount">Of the machine.</param>
public sealed class HistoryBucket(int cpuCount)
{
    /// <summary>All of it has been replayed.</summary>
    public bool IsKnown { get; internal set; } = true;

    /// <summary>Instructions retired by each vCPU.</summary>
    public ulong[] Instructions { get; } = new ulong[cpuCount];

    internal long[] Counters { get; } = new long[IntervalHistory.CounterCount];

    public long Exceptions => Counters[(int)HistoryEventKind.Exception];
    public long Interrupts => Counters[(int)HistoryEventKind.Interrupt];
    public long SystemCalls => Counters[(int)HistoryEventKind.SystemCall];
    public long ContextSwitches => Counters[(int)HistoryEventKind.ContextSwitch];
}

/// <summary>What is known of a window.</summary>
/// <param name="Buckets">Of equal instruction counts.</param>
/// <param name="Events">The single events, when there are few; else only those of inputs.</param>
/// <param name="IsComplete">All buckets are known.</param>
public sealed record HistoryWindow(IReadOnlyList<HistoryBucket> Buckets, IReadOnlyList<HistoryEvent> Events, bool IsComplete);
