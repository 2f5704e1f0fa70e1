using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Vmm.Cpu;
using Vmm.Platform;

namespace Replay.Exploration;

/// <summary>A switch by where its vCPU is in its own code. Unlike a position it means the same when the switches before it are others.</summary>
/// <param name="From">The vCPU that is interrupted ...</param>
/// <param name="Address">... before the instruction at this linear address ...</param>
/// <param name="Pass">... which it comes to for so many times, from 1.</param>
/// <param name="To">Who gets the turn.</param>
internal readonly record struct AnchoredSwitch(int From, ulong Address, long Pass, int To);

/// <summary>A turn that was given in a trial.</summary>
/// <param name="Turn">The turn.</param>
/// <param name="Address">Linear address of what the vCPU whose turn ended would have executed next.</param>
/// <param name="Pass">How many times that vCPU will have come to there; 0: nobody counted.</param>
internal readonly record struct TrialTurn(Turn Turn, ulong Address, long Pass);

/// <summary>Runs a machine once, unrecorded, from its start to its end or to a failure, and sees who had which turn. One thread's.</summary>
internal sealed class ScheduleTrial : IMachineObserver, ITurnObserver
{
    private const ulong Slice = 1_000_000;
    private readonly MachineConfiguration _configuration;
    private readonly FailureCriteria _criteria;
    private readonly SilentWorld _world;
    private readonly Dictionary<(int Cpu, ulong Address), long> _passes = [];
    private readonly Dictionary<(int Cpu, ulong Address, long Pass), int> _targets = [];
    private readonly List<TrialTurn> _turns = [];
    private IReadOnlyList<AnchoredSwitch> _chain = [];
    private int _chainIndex;
    private long _chainPasses;
    private readonly HashSet<ulong> _addresses = [];
    private readonly ulong?[] _stoppedAt;
    private Machine _machine = null!;
    private int? _target;

    public ScheduleTrial(MachineConfiguration configuration, FailureCriteria criteria)
    {
        _configuration = configuration;
        _criteria = criteria;
        _world = new SilentWorld(criteria.FailureText);
        _stoppedAt = new ulong?[configuration.CpuCount];
    }

    /// <summary>Keep the turns.</summary>
    public bool KeepsTurns { get; init; }

    /// <summary>The turns that were given, in order; without <see cref="KeepsTurns"/> none.</summary>
    public IReadOnlyList<TrialTurn> Turns => _turns;

    /// <summary>The forced ones among them.</summary>
    public IReadOnlyList<ForcedSwitch> ForcedSwitches() =>
        [.. _turns.Where(static one => one.Turn.Reason == TurnEndReason.Forced).Select(static one => new ForcedSwitch(one.Turn.InstructionCount, one.Turn.To))];

    uint IMachineObserver.WantedKinds => 1u << (int)MachineEventKind.Execute;

    /// <summary>Counts how often each vCPU comes to these addresses.</summary>
    public void Count(IEnumerable<ulong> addresses) => _addresses.UnionWith(addresses);

    /// <summary>Forces these switches besides those of the configuration.</summary>
    public void Force(IEnumerable<AnchoredSwitch> switches)
    {
        foreach (AnchoredSwitch one in switches)
        {
            _addresses.Add(one.Address);
            _targets[(one.From, one.Address, one.Pass)] = one.To;
        }
    }

    /// <summary>Forces these switches one after the other: the passes of each are counted from the switch before it.</summary>
    public void Follow(IReadOnlyList<AnchoredSwitch> chain)
    {
        _chain = chain;
        foreach (AnchoredSwitch one in chain) _addresses.Add(one.Address);
    }

    /// <summary>How often a vCPU has come to an address that is counted.</summary>
    public long PassesOf(int cpu, ulong address) => _passes.GetValueOrDefault((cpu, address));

    /// <summary>Runs it, once.</summary>
    public Verdict Run(CancellationToken cancellation)
    {
        using var machine = new Machine(_configuration, _world, _world);
        _machine = machine;
        _world.WhenPrinted = machine.RequestStop;
        if (KeepsTurns) machine.TurnObserver = this;
        if (_addresses.Count > 0)
        {
            machine.SetBreakpoints(_addresses);
            machine.Observer = this;
        }
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            RunStop stop = machine.Run(Math.Min(_criteria.MaximumInstructions, machine.InstructionCount + Slice));
            if (_world.TextWasPrinted) return Failed(VerdictKind.Text, $"it printed '{_criteria.FailureText}'");
            if (stop == RunStop.Ended) return Judge(machine.Outcome);
            if (machine.InstructionCount >= _criteria.MaximumInstructions) return Failed(VerdictKind.Hang, $"it has not ended after {machine.InstructionCount} instructions");
            if (_target is not { } target) continue;
            _target = null;
            machine.ForceTurn(target);
        }
    }

    void IMachineObserver.OnEvent(in MachineEvent machineEvent)
    {
        int cpu = machineEvent.CpuIndex;
        // Stopped before it, its vCPU comes to it a second time when it goes on.
        if (_stoppedAt[cpu] == machineEvent.Address)
        {
            _stoppedAt[cpu] = null;
            return;
        }
        var key = (cpu, machineEvent.Address);
        long pass = _passes.GetValueOrDefault(key) + 1;
        _passes[key] = pass;
        if (!_targets.TryGetValue((cpu, machineEvent.Address, pass), out int target) && !TryNextLink(cpu, machineEvent.Address, out target)) return;
        _target = target;
        _stoppedAt[cpu] = machineEvent.Address;
        _machine.RequestStopBefore();
    }

    private bool TryNextLink(int cpu, ulong address, out int target)
    {
        target = 0;
        if (_chainIndex == _chain.Count) return false;
        AnchoredSwitch link = _chain[_chainIndex];
        if (link.From != cpu || link.Address != address || ++_chainPasses < link.Pass) return false;
        _chainIndex++;
        _chainPasses = 0;
        target = link.To;
        return true;
    }

    void ITurnObserver.OnTurn(in Turn turn)
    {
        ref VcpuState state = ref _machine.Vcpus[turn.From].State;
        ulong address = state.Rip + state.Segment(SegmentIndex.Cs).Base;
        // What it was stopped before is counted, but not executed.
        long passes = _passes.GetValueOrDefault((turn.From, address)), stopped = _stoppedAt[turn.From] == address ? 1 : 0;
        _turns.Add(new TrialTurn(turn, address, _addresses.Count == 0 ? 0 : passes + 1 - stopped));
    }

    private Verdict Judge(in Outcome outcome) => outcome.Kind switch
    {
        OutcomeKind.DebugExit or OutcomeKind.PowerOff when outcome.Code != _criteria.GoodExitCode => Failed(VerdictKind.ExitCode, $"it ended with exit code 0x{outcome.Code:x}"),
        OutcomeKind.TripleFault => Failed(VerdictKind.TripleFault, outcome.Detail),
        OutcomeKind.Halted => Failed(VerdictKind.Hang, outcome.Detail),
        OutcomeKind.Unimplemented => Failed(VerdictKind.Unimplemented, outcome.Detail),
        _ => new Verdict(VerdictKind.Good, _machine.InstructionCount, "", _world.LastLine),
    };

    private Verdict Failed(VerdictKind kind, string detail) => new(kind, _machine.InstructionCount, detail, _world.LastLine);
}
