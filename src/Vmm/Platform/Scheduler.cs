using System;
using System.Collections.Generic;
using Vmm.Snapshots;

namespace Vmm.Platform;

/// <summary>
/// Gives the vCPUs turns on the one engine thread. The turns are a function of InstructionCount and, with chaos, of a seed: each turn then has a
/// random length, now and then a tiny one, and the next vCPU is picked at random, which shakes out races.
/// </summary>
internal sealed class Scheduler : ISnapshotted
{
    /// <summary>Instructions a turn without chaos.</summary>
    private const ulong Quantum = 20_000;
    /// <summary>The same where switches are forced: nobody is interrupted, unless it spins without PAUSE.</summary>
    private const ulong LongQuantum = 1_000_000;
    private const int LongestChaosShift = 16;

    private readonly int _cpuCount;
    private readonly bool _chaos;
    private readonly TurnPolicy _policy;
    private readonly IReadOnlyList<ForcedSwitch> _forcedSwitches;
    private int _forcedIndex;
    private ulong _random;
    private bool _isGivenUp;
    private int? _forcedNow;

    public Scheduler(MachineConfiguration configuration)
    {
        _cpuCount = configuration.CpuCount;
        _policy = configuration.TurnPolicy;
        _forcedSwitches = configuration.ForcedSwitches;
        Invariant.Check(_policy == TurnPolicy.Standard || configuration.ChaosSeed is null);
        Invariant.Check(_policy == TurnPolicy.Forced || _forcedSwitches.Count == 0);
        Invariant.Check(ForcedSwitch.AreValid(_forcedSwitches, _cpuCount));
        _chaos = configuration.ChaosSeed is not null;
        // SplitMix64's increment keeps seed 0 from being a fixed point of the generator below.
        _random = (configuration.ChaosSeed ?? 0) * 0x9E37_79B9_7F4A_7C15 + 0x9E37_79B9_7F4A_7C15;
        TurnEnd = EndOfTurnFrom(0);
    }

    public string SnapshotName => "scheduler";

    public int Current { get; private set; }

    /// <summary>InstructionCount at which the turn is over.</summary>
    public ulong TurnEnd { get; private set; }

    /// <summary>Is told of every turn; null: nobody.</summary>
    public ITurnObserver? Observer { get; set; }

    /// <summary>The current vCPU gave up its turn (PAUSE in a spin loop).</summary>
    public void EndTurn(ulong count)
    {
        if (_cpuCount == 1) return;
        TurnEnd = count;
        _isGivenUp = true;
    }

    /// <summary>The turn is over now, and that vCPU gets the next.</summary>
    public void Force(int cpuIndex)
    {
        _forcedNow = cpuIndex;
        TurnEnd = 0;
    }

    /// <summary>Who comes next among those that can run: bit n for vCPU n. The turn begins at <paramref name="count"/>.</summary>
    public void Switch(ulong count, uint runnable)
    {
        int from = Current;
        int? forced = TakeForced(count);
        TurnEndReason reason = (runnable >> from & 1) == 0 ? TurnEndReason.CannotRun : _isGivenUp ? TurnEndReason.GivenUp : TurnEndReason.Over;
        bool interrupts = reason == TurnEndReason.Over;
        if (forced is not null) reason = TurnEndReason.Forced;
        _isGivenUp = false;
        Current = Choose(runnable, forced ?? (_chaos ? (int)(Next() % (ulong)_cpuCount) : Current + 1));
        TurnEnd = EndOfTurnFrom(count);
        Observer?.OnTurn(new Turn(count, from, Current, reason, interrupts));
    }

    private int Choose(uint runnable, int start)
    {
        for (int i = 0; i < _cpuCount; i++)
        {
            int candidate = (start + i) % _cpuCount;
            if ((runnable >> candidate & 1) != 0) return candidate;
        }
        throw new InvariantException("a turn is given although no vCPU can run");
    }

    private int? TakeForced(ulong count)
    {
        int? forced = _forcedNow;
        _forcedNow = null;
        for (; _forcedIndex < _forcedSwitches.Count && _forcedSwitches[_forcedIndex].InstructionCount <= count; _forcedIndex++)
            forced = _forcedSwitches[_forcedIndex].CpuIndex;
        return forced;
    }

    private ulong EndOfTurnFrom(ulong count)
    {
        if (_cpuCount == 1) return ulong.MaxValue;
        return _policy switch
        {
            TurnPolicy.SideBySide => count + 1,
            TurnPolicy.Forced when _forcedIndex < _forcedSwitches.Count => Math.Min(count + LongQuantum, _forcedSwitches[_forcedIndex].InstructionCount),
            TurnPolicy.Forced => count + LongQuantum,
            _ => count + (_chaos ? NextQuantum() : Quantum),
        };
    }

    /// <summary>The lengths are spread evenly over magnitudes, from 1 to 65,535 instructions.</summary>
    private ulong NextQuantum()
    {
        int shift = (int)(Next() % LongestChaosShift) + 1;
        return 1 + Next() % (1UL << shift);
    }

    /// <summary>xorshift64*, Vigna 2016.</summary>
    private ulong Next()
    {
        _random ^= _random >> 12;
        _random ^= _random << 25;
        _random ^= _random >> 27;
        return (_random * 0x2545_F491_4F6C_DD1D) >> 11;
    }

    public void Save(StateWriter writer)
    {
        writer.Write("current", Current);
        writer.Write("turnEnd", TurnEnd);
        writer.Write("random", _random);
        if (_policy == TurnPolicy.Forced) writer.Write("forcedIndex", _forcedIndex);
    }

    public void Restore(StateReader reader)
    {
        int current = reader.ReadInt32("current");
        if (current < 0 || current >= _cpuCount) throw new StateFormatException($"the snapshot's current vCPU is {current}, but the machine has {_cpuCount}");
        Current = current;
        TurnEnd = reader.ReadUInt64("turnEnd");
        _random = reader.ReadUInt64("random");
        _isGivenUp = false;
        _forcedNow = null;
        if (_policy != TurnPolicy.Forced) return;
        int index = reader.ReadInt32("forcedIndex");
        if (index < 0 || index > _forcedSwitches.Count) throw new StateFormatException($"the snapshot's forced switch is {index}, but there are {_forcedSwitches.Count}");
        _forcedIndex = index;
    }
}
