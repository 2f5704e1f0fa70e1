using System;
using System.Collections.Generic;
using Replay.Replaying;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>A transition that a probe picked.</summary>
/// <param name="At">The position before it.</param>
/// <param name="IsExact">It is one transition, and not a turn of another vCPU.</param>
internal sealed record TransitionHit(Position At, bool IsExact);

/// <summary>Replays stretches transition by transition, past a probe.</summary>
internal sealed class TransitionScan(ITransitionProbe probe) : IIntervalScan<TransitionHit>
{
    private const int StepsPerCheck = 1 << 14;
    private const ulong LongestTurn = 2_000_000;
    private readonly TurnObserver _turns = new();

    /// <summary>Stepping takes much longer than restoring.</summary>
    public int LongestRun => 1;

    public TransitionHit? Scan(ReplaySession session, in ScanInterval interval, Action start, Func<ulong, bool> afterSlice)
    {
        if (!TryPass(session, interval, session.Machine.Vcpus.Count > 1, afterSlice, out TransitionHit? last)) return null;
        if (last is null or { IsExact: true }) return last;
        start();
        return TryPass(session, interval, false, afterSlice, out last) ? last : null;
    }

    public void Disarm() => _turns.Leave();

    private bool TryPass(ReplaySession session, in ScanInterval interval, bool skipsOthers, Func<ulong, bool> afterSlice, out TransitionHit? last)
    {
        Machine machine = session.Machine;
        ulong reported = machine.InstructionCount;
        int steps = 0;
        last = null;
        while (machine.Position < interval.To)
        {
            Position at = machine.Position;
            bool skips = skipsOthers && machine.CurrentCpuIndex != probe.CpuIndex && machine.InstructionCount < interval.To.InstructionCount;
            probe.Before(machine);
            if (skips) _turns.RunTurn(machine, Math.Min(interval.To.InstructionCount, machine.InstructionCount + LongestTurn));
            else session.Step();
            if (machine.Position == at) throw new ReplayDivergenceException(at, $"the machine to live until {interval.To}", $"its end ({machine.Outcome.Detail})");
            if (probe.After(machine)) last = new TransitionHit(at, !skips);
            if (++steps % StepsPerCheck != 0 && machine.InstructionCount - reported < LongestTurn) continue;
            if (!afterSlice(machine.InstructionCount - reported)) return false;
            reported = machine.InstructionCount;
        }
        return afterSlice(machine.InstructionCount - reported);
    }

    /// <summary>Ends a run where another vCPU gets its turn.</summary>
    private sealed class TurnObserver : IMachineObserver
    {
        private Machine? _machine;

        public uint WantedKinds => 1u << (int)MachineEventKind.Schedule;

        public void OnEvent(in MachineEvent machineEvent) => _machine!.RequestStop();

        public void RunTurn(Machine machine, ulong until)
        {
            _machine = machine;
            machine.Observer = this;
            machine.Run(until);
            machine.Observer = null;
        }

        public void Leave()
        {
            if (_machine is not null) _machine.Observer = null;
            _machine = null;
        }
    }
}

/// <summary>Keeps every event that it is told of.</summary>
internal sealed class EventCollector : IMachineObserver
{
    private readonly List<MachineEvent> _events = [];

    public uint WantedKinds => uint.MaxValue;

    public IReadOnlyList<MachineEvent> Events => _events;

    public void OnEvent(in MachineEvent machineEvent) => _events.Add(machineEvent);
}
