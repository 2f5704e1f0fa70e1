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
    private const int LongestChaosShift = 16;

    private readonly int _cpuCount;
    private readonly bool _chaos;
    private ulong _random;

    public Scheduler(int cpuCount, ulong? chaosSeed)
    {
        _cpuCount = cpuCount;
        _chaos = chaosSeed is not null;
        // SplitMix64's increment keeps seed 0 from being a fixed point of the generator below.
        _random = (chaosSeed ?? 0) * 0x9E37_79B9_7F4A_7C15 + 0x9E37_79B9_7F4A_7C15;
        TurnEnd = cpuCount == 1 ? ulong.MaxValue : NextQuantum();
    }

    public string SnapshotName => "scheduler";

    public int Current { get; private set; }

    /// <summary>InstructionCount at which the turn is over.</summary>
    public ulong TurnEnd { get; private set; }

    /// <summary>The current vCPU gave up its turn (PAUSE in a spin loop).</summary>
    public void EndTurn(ulong count)
    {
        if (_cpuCount > 1) TurnEnd = count;
    }

    /// <summary>Who comes next among those that can run: bit n for vCPU n. The turn begins at <paramref name="count"/>.</summary>
    public void Switch(ulong count, uint runnable)
    {
        Current = Choose(runnable);
        TurnEnd = _cpuCount == 1 ? ulong.MaxValue : count + NextQuantum();
    }

    private int Choose(uint runnable)
    {
        int start = _chaos ? (int)(Next() % (ulong)_cpuCount) : Current + 1;
        for (int i = 0; i < _cpuCount; i++)
        {
            int candidate = (start + i) % _cpuCount;
            if ((runnable >> candidate & 1) != 0) return candidate;
        }
        throw new InvariantException("a turn is given although no vCPU can run");
    }

    /// <summary>With chaos the lengths are spread evenly over magnitudes, from 1 to 65,535 instructions.</summary>
    private ulong NextQuantum()
    {
        if (!_chaos) return Quantum;
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
    }

    public void Restore(StateReader reader)
    {
        int current = reader.ReadInt32("current");
        if (current < 0 || current >= _cpuCount) throw new StateFormatException($"the snapshot's current vCPU is {current}, but the machine has {_cpuCount}");
        Current = current;
        TurnEnd = reader.ReadUInt64("turnEnd");
        _random = reader.ReadUInt64("random");
    }
}
