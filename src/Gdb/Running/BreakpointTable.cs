using System.Collections.Generic;
using Replay.Queries;
using Vmm.Platform;

namespace Gdb.Running;

/// <summary>Kinds of Z packets, by their number.</summary>
internal enum BreakpointKind
{
    Software = 0,
    Hardware = 1,
    Write = 2,
    Read = 3,
    Access = 4,
}

/// <param name="Kind">What it stops at.</param>
/// <param name="Address">Linear address, in whatever address space is current.</param>
/// <param name="SizeBytes">Watched bytes; 1 for instructions.</param>
internal readonly record struct Breakpoint(BreakpointKind Kind, ulong Address, int SizeBytes)
{
    public bool IsWatch => Kind >= BreakpointKind.Write;
    public bool WatchesReads => Kind is BreakpointKind.Read or BreakpointKind.Access;
    public bool WatchesWrites => Kind is BreakpointKind.Write or BreakpointKind.Access;

    /// <summary>Whether an access touches the watched bytes.</summary>
    public bool Covers(in MachineEvent access)
    {
        if (!(access.Kind == MachineEventKind.Write ? WatchesWrites : access.Kind == MachineEventKind.Read && WatchesReads)) return false;
        // Differences wrap around correctly at the end of the address space.
        return access.Address - Address < (ulong)SizeBytes || Address - access.Address < (ulong)access.SizeBytes;
    }
}

/// <summary>What gdb has inserted. None of it is in guest memory: the machine is watched from outside.</summary>
internal sealed class BreakpointTable
{
    /// <summary>gdb inserts what users set: far less. A hostile client gets an error.</summary>
    public const int MaxCount = 1024;
    /// <summary>Watched pages leave the fast path; a range is bounded so that setting one stays quick.</summary>
    public const int MaxSizeBytes = 1 << 20;

    private readonly List<Breakpoint> _all = [];

    public IReadOnlyList<Breakpoint> All => _all;

    public bool HasWatches => _all.Exists(static breakpoint => breakpoint.IsWatch);

    /// <summary>Inserting twice is once: the protocol wants it idempotent.</summary>
    public bool TryInsert(in Breakpoint breakpoint)
    {
        if (_all.Contains(breakpoint)) return true;
        if (_all.Count >= MaxCount || breakpoint.SizeBytes is < 1 or > MaxSizeBytes) return false;
        _all.Add(breakpoint);
        return true;
    }

    public void Remove(in Breakpoint breakpoint) => _all.Remove(breakpoint);

    public void Clear() => _all.Clear();

    public Watch[] Watches()
    {
        var watches = new List<Watch>();
        foreach (Breakpoint b in _all)
            if (b.IsWatch) watches.Add(new Watch(IsPhysical: false, b.Address, b.SizeBytes, b.WatchesReads, b.WatchesWrites));
        return [.. watches];
    }

    /// <summary>The same for a timeline to look for.</summary>
    public List<StopCondition> Conditions()
    {
        var conditions = new List<StopCondition>();
        foreach (Breakpoint b in _all)
        {
            conditions.Add(b.Kind switch
            {
                BreakpointKind.Write => StopCondition.Watch(b.Address, b.SizeBytes, WatchAccess.Write, isPhysical: false),
                BreakpointKind.Read => StopCondition.Watch(b.Address, b.SizeBytes, WatchAccess.Read, isPhysical: false),
                BreakpointKind.Access => StopCondition.Watch(b.Address, b.SizeBytes, WatchAccess.Access, isPhysical: false),
                _ => StopCondition.Breakpoint(b.Address),
            });
        }
        return conditions;
    }

    /// <summary>The report of an access or execution, if anything waits for it.</summary>
    public StopReport? Report(in MachineEvent machineEvent)
    {
        foreach (Breakpoint b in _all)
        {
            if (machineEvent.Kind == MachineEventKind.Execute)
            {
                if (!b.IsWatch && b.Address == machineEvent.Address) return ReportExecution(b, machineEvent.CpuIndex);
                continue;
            }
            if (!b.IsWatch || !b.Covers(machineEvent)) continue;
            StopKind kind = b.Kind switch { BreakpointKind.Write => StopKind.Write, BreakpointKind.Read => StopKind.Read, _ => StopKind.Access };
            // gdb finds its watchpoint by an address inside it, which that of a wider access need not be.
            ulong address = machineEvent.Address - b.Address < (ulong)b.SizeBytes ? machineEvent.Address : b.Address;
            return new StopReport(kind, machineEvent.CpuIndex, address);
        }
        return null;
    }

    /// <summary>The breakpoint on an instruction that a vCPU is about to execute.</summary>
    public StopReport? ReportAt(ulong linear, int cpuIndex)
    {
        foreach (Breakpoint b in _all)
            if (!b.IsWatch && b.Address == linear) return ReportExecution(b, cpuIndex);
        return null;
    }

    private static StopReport ReportExecution(in Breakpoint b, int cpuIndex) =>
        new(b.Kind == BreakpointKind.Software ? StopKind.SoftwareBreakpoint : StopKind.HardwareBreakpoint, cpuIndex);
}
