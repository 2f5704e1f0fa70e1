using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>Compares what a machine does with conditions, and keeps the first hit after a position or the last one before.</summary>
internal sealed class ConditionObserver : IMachineObserver
{
    private readonly StopCondition[] _conditions;
    private readonly List<ulong> _breakpoints = [], _physicalBreakpoints = [];
    private readonly List<Watch> _watches = [];
    private readonly List<QueryHit> _hits = [];
    private readonly List<(StopCondition Condition, TextMatcher[] Channels)> _texts = [];
    private Machine? _machine;
    private Position _after, _before;
    private bool _wantsFirst;
    private Action<QueryHit>? _onHit;

    /// <param name="conditions">Of console texts nothing is seen before <see cref="ExpectTexts"/>: in a recording, the log answers for them.</param>
    public ConditionObserver(IReadOnlyCollection<StopCondition> conditions)
    {
        _conditions = [.. conditions];
        foreach (StopCondition c in _conditions)
        {
            WantedKinds |= KindsOf(c);
            if (c.Kind == StopConditionKind.Breakpoint) _breakpoints.Add((ulong)c.Number);
            if (c.Kind == StopConditionKind.PhysicalBreakpoint) _physicalBreakpoints.Add((ulong)c.Number);
            if (c.Kind == StopConditionKind.Watch) _watches.Add(new Watch(c.IsPhysical, (ulong)c.Number, c.SizeBytes, c.Reads, c.Writes));
        }
    }

    public uint WantedKinds { get; private set; }

    /// <summary>All that was met at the position found; empty while nothing was.</summary>
    public IReadOnlyList<QueryHit> Hits => _hits;

    /// <summary>Looks for the first hit behind <paramref name="after"/>, and asks the machine to stop there.</summary>
    public void ArmForFirst(Machine machine, Position after) =>
        Arm(machine, after, new Position(ulong.MaxValue, uint.MaxValue), wantsFirst: true);

    /// <summary>Looks for the last hit from <paramref name="from"/> on and before <paramref name="before"/>.</summary>
    public void ArmForLast(Machine machine, Position from, Position before)
    {
        Arm(machine, from, before, wantsFirst: false);
    }

    /// <summary>Tells of every hit from <paramref name="from"/> on and before <paramref name="before"/>, and keeps none.</summary>
    public void ArmForAll(Machine machine, Position from, Position before, Action<QueryHit> onHit)
    {
        _onHit = onHit;
        Arm(machine, from, before, wantsFirst: false);
    }

    /// <summary>Sees console texts too, as a machine prints them for the first time.</summary>
    /// <param name="printed">What it has printed before: the beginning of a text may be in it.</param>
    public void ExpectTexts(IEnumerable<ConsoleOutput> printed)
    {
        foreach (StopCondition condition in _conditions)
            if (condition.Kind == StopConditionKind.ConsoleText) _texts.Add((condition, TextMatcher.ForEachChannel(condition.Text)));
        if (_texts.Count == 0) return;
        WantedKinds |= Bit(MachineEventKind.Output);
        foreach (ConsoleOutput output in printed)
            foreach (byte b in output.Data.Span)
                foreach ((_, TextMatcher[] channels) in _texts) channels[(int)output.Channel].Append(b);
    }

    /// <summary>Armed for the first, the machine stops before the instruction of a breakpoint: where there is no way back.</summary>
    public bool StopsBefore { get; init; }

    public void Disarm()
    {
        if (_machine is null) return;
        _machine.Observer = null;
        _machine.SetBreakpoints([]);
        _machine.SetWatches([]);
        _machine = null;
    }

    public void OnEvent(in MachineEvent machineEvent)
    {
        Position at = machineEvent.At;
        if (machineEvent.Kind == MachineEventKind.Output)
        {
            foreach ((StopCondition condition, TextMatcher[] channels) in _texts)
                if (channels[(int)machineEvent.Number].Append((byte)machineEvent.Value) && IsWanted(at)) Hit(condition, machineEvent);
            return;
        }
        if (!IsWanted(at)) return;
        foreach (StopCondition condition in _conditions)
            if (Matches(condition, machineEvent)) Hit(condition, machineEvent);
    }

    private bool IsWanted(Position at) =>
        _wantsFirst ? at > _after && (_hits.Count == 0 || at == _hits[0].Event.At) : at >= _after && at < _before;

    private void Hit(StopCondition condition, in MachineEvent machineEvent)
    {
        if (_onHit is { } tell)
        {
            tell(new QueryHit(condition, machineEvent));
            return;
        }
        if (_hits.Count > 0 && machineEvent.At != _hits[0].Event.At) _hits.Clear();
        _hits.Add(new QueryHit(condition, machineEvent));
        if (!_wantsFirst) return;
        if (StopsBefore && machineEvent.Kind == MachineEventKind.Execute) _machine!.RequestStopBefore();
        else _machine!.RequestStop();
    }

    private void Arm(Machine machine, Position after, Position before, bool wantsFirst)
    {
        _hits.Clear();
        _machine = machine;
        _after = after;
        _before = before;
        _wantsFirst = wantsFirst;
        machine.Observer = this;
        machine.SetBreakpoints(_breakpoints, _physicalBreakpoints);
        machine.SetWatches(_watches);
    }

    private static uint KindsOf(StopCondition c) => c.Kind switch
    {
        StopConditionKind.Breakpoint or StopConditionKind.PhysicalBreakpoint => Bit(MachineEventKind.Execute),
        StopConditionKind.Exception => Bit(MachineEventKind.Exception),
        StopConditionKind.Interrupt => Bit(MachineEventKind.Interrupt),
        StopConditionKind.SoftwareInterrupt => Bit(MachineEventKind.SoftwareInterrupt),
        StopConditionKind.Port => Directed(c, MachineEventKind.PortRead, MachineEventKind.PortWrite),
        StopConditionKind.Mmio => Directed(c, MachineEventKind.MmioRead, MachineEventKind.MmioWrite),
        StopConditionKind.Msr => Directed(c, MachineEventKind.MsrRead, MachineEventKind.MsrWrite),
        StopConditionKind.ControlRegister => Bit(MachineEventKind.ControlRegisterWrite),
        StopConditionKind.Schedule => Bit(MachineEventKind.Schedule),
        StopConditionKind.Watch => Directed(c, MachineEventKind.Read, MachineEventKind.Write),
        _ => 0,
    };

    private static uint Bit(MachineEventKind kind) => 1u << (int)kind;

    private static uint Directed(StopCondition c, MachineEventKind read, MachineEventKind write) =>
        (c.Reads ? Bit(read) : 0) | (c.Writes ? Bit(write) : 0);

    private bool Matches(StopCondition c, in MachineEvent e)
    {
        if ((KindsOf(c) & Bit(e.Kind)) == 0 || (c.CpuIndex is { } cpu && cpu != e.CpuIndex)) return false;
        if ((c.Stack is not null || c.AddressSpace is not null) && (e.CpuIndex < 0 || !IsInFrame(c, _machine!.Vcpus[e.CpuIndex].State))) return false;
        return c.Kind switch
        {
            StopConditionKind.Breakpoint => e.Address == (ulong)c.Number && (c.Filter is null || c.Filter(_machine!, e.CpuIndex)),
            StopConditionKind.PhysicalBreakpoint => e.Physical == (ulong)c.Number && (c.Filter is null || c.Filter(_machine!, e.CpuIndex)),
            StopConditionKind.Exception or StopConditionKind.Interrupt => (c.Number < 0 || e.Number == c.Number) && (c.Filter is null || c.Filter(_machine!, e.CpuIndex)),
            StopConditionKind.Port => Overlap((ulong)e.Number, e.SizeBytes, c),
            StopConditionKind.Mmio => Overlap(e.Physical, e.SizeBytes, c),
            StopConditionKind.Watch => Overlap(c.IsPhysical ? e.Physical : e.Address, e.SizeBytes, c),
            _ => c.Number < 0 || e.Number == c.Number,
        };
    }

    private static bool IsInFrame(StopCondition c, in VcpuState s) =>
        (c.Stack is not { } stack || (s.Rsp >= stack.Lowest && s.Rsp <= stack.Highest)) && (c.AddressSpace is not { } space || (s.Cr3 & ~0xFFFUL) == space);

    private static bool Overlap(ulong first, int sizeBytes, StopCondition c)
    {
        // Differences wrap around correctly at the end of the address space.
        ulong start = (ulong)c.Number;
        return first - start < (ulong)c.SizeBytes || start - first < (ulong)Math.Max(1, sizeBytes);
    }
}
