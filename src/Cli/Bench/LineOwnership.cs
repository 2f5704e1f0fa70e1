using System;
using System.Collections.Generic;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Bench;

/// <summary>
/// What caches would have to send each other for some words of memory, by the rules of an invalidation protocol such as MESI: a line is modified in one cache, or shared by
/// several. Lines begin in nobody's cache, and stay in a cache until another writes to them.
/// </summary>
internal sealed class LineOwnership : IMachineObserver
{
    private const int LineShift = 6;

    private sealed class Line
    {
        public int? LastWriter;
        public uint Holders;
        public Position LastFetch;
        public int LastFetchCpu = -1;
    }

    private readonly Dictionary<ulong, Line> _lines = [];

    public uint WantedKinds => 1u << (int)MachineEventKind.Read | 1u << (int)MachineEventKind.Write;

    /// <summary>Only what happens while this holds is counted; who holds a line is always followed.</summary>
    public Func<bool> IsCounting { get; init; } = static () => true;

    /// <summary>Writes to a line that another vCPU has written to last: it moves from cache to cache.</summary>
    public long OwnerChanges { get; private set; }

    /// <summary>Reads of a line that is not in the reader's cache, other than those of an atomic read and write.</summary>
    public long Fetches { get; private set; }

    public void OnEvent(in MachineEvent machineEvent)
    {
        ulong number = machineEvent.Address >> LineShift;
        if (!_lines.TryGetValue(number, out Line? line)) _lines[number] = line = new Line();
        int cpu = machineEvent.CpuIndex, counts = IsCounting() ? 1 : 0;
        uint bit = 1u << cpu;
        if (machineEvent.Kind == MachineEventKind.Read)
        {
            if ((line.Holders & bit) != 0) return;
            line.Holders |= bit;
            Fetches += counts;
            (line.LastFetch, line.LastFetchCpu) = (machineEvent.At, cpu);
            return;
        }
        // XCHG and the like ask for the line once, to write to it.
        if (line.LastFetchCpu == cpu && line.LastFetch == machineEvent.At) Fetches -= counts;
        line.LastFetchCpu = -1;
        if (line.LastWriter is { } writer && writer != cpu) OwnerChanges += counts;
        line.LastWriter = cpu;
        line.Holders = bit;
    }
}
