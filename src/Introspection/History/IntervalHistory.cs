using System;

namespace Introspection.History;

/// <summary>What happened between two checkpoints: totals, and the single events as long as there is room for them.</summary>
internal sealed class IntervalHistory
{
    public const int CounterCount = 4;

    /// <param name="from">First instruction count.</param>
    /// <param name="to">The count behind the last.</param>
    /// <param name="firstCpu">Whose turn it is at the beginning.</param>
    /// <param name="cpuCount">Of the machine.</param>
    /// <param name="events">In order.</param>
    public IntervalHistory(ulong from, ulong to, int firstCpu, int cpuCount, HistoryEvent[] events)
    {
        (From, To, FirstCpu, Events) = (from, to, firstCpu, events);
        Instructions = new ulong[cpuCount];
        Counters = new long[CounterCount];
        ulong at = from;
        int cpu = firstCpu;
        foreach (HistoryEvent one in events)
        {
            if ((int)one.Kind < CounterCount) Counters[(int)one.Kind]++;
            if (one.Kind != HistoryEventKind.Schedule) continue;
            Instructions[cpu] += one.Count - at;
            (at, cpu) = (one.Count, one.Number);
        }
        Instructions[cpu] += to - at;
    }

    public ulong From { get; }
    public ulong To { get; }
    public int FirstCpu { get; }

    /// <summary>Null: dropped to save memory.</summary>
    public HistoryEvent[]? Events { get; private set; }

    /// <summary>Instructions of each vCPU.</summary>
    public ulong[] Instructions { get; }

    /// <summary>How many of the kinds from <see cref="HistoryEventKind.Exception"/> to <see cref="HistoryEventKind.ContextSwitch"/>.</summary>
    public long[] Counters { get; }

    public int Drop()
    {
        int count = Events?.Length ?? 0;
        Events = null;
        return count;
    }
}
