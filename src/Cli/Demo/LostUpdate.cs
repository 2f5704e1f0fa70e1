using System.Collections.Generic;
using Replay.Replaying;
using Vmm.Platform;

namespace Cli.Demo;

/// <summary>One deposit as the processor did it: tests and sets the lock, reads the balance, writes it.</summary>
internal readonly record struct Deposit(MachineEvent LockTest, MachineEvent LockSet, MachineEvent Read, MachineEvent Write)
{
    public int CpuIndex => Write.CpuIndex;
    public ulong Amount => Write.Value - Read.Value;

    /// <summary>Both saw a free lock before either had set it: the race itself, not what follows from it.</summary>
    public bool RacesWith(in Deposit other) => LockTest.At < other.LockSet.At && other.LockTest.At < LockSet.At;
}

/// <summary>Two deposits that got into each other's way.</summary>
/// <param name="Lost">Its write is overwritten ...</param>
/// <param name="Overwriting">... by this one, which had read the balance before.</param>
/// <param name="OtherCount">Further deposits that the same write made undone.</param>
internal readonly record struct LostUpdate(Deposit Lost, Deposit Overwriting, int OtherCount);

/// <summary>
/// Watches the balance and its lock during one replay, and finds the last update that was lost: one CPU read the balance, another wrote it, and then the
/// first wrote what it had computed from the old balance.
/// </summary>
internal sealed class LostUpdateSearch(DemoKernel kernel) : IMachineObserver
{
    private readonly Dictionary<int, MachineEvent> _lockTests = [], _lockSets = [], _reads = [];
    private readonly List<Deposit> _deposits = [];

    /// <summary>The last lost update; one whose two CPUs raced for the lock, if there is one.</summary>
    public LostUpdate? Found { get; private set; }
    public int WriteCount => _deposits.Count;
    public int LostCount { get; private set; }

    public uint WantedKinds => 1U << (int)MachineEventKind.Read | 1U << (int)MachineEventKind.Write;

    /// <summary>Replays everything.</summary>
    public void Run(Replayer replayer, Vmm.Time.Position end)
    {
        replayer.Machine.SetWatches([new Watch(false, kernel.LockAddress, 4, true, true), new Watch(false, kernel.BalanceAddress, 8, true, true)]);
        replayer.Machine.Observer = this;
        replayer.RunTo(end);
    }

    public void OnEvent(in MachineEvent machineEvent)
    {
        bool isRead = machineEvent.Kind == MachineEventKind.Read;
        int cpu = machineEvent.CpuIndex;
        if (machineEvent.Address == kernel.LockAddress)
        {
            if (isRead) _lockTests[cpu] = machineEvent;
            else if (machineEvent.Value != 0) _lockSets[cpu] = machineEvent;
        }
        else if (isRead) _reads[cpu] = machineEvent;
        else OnBalanceWritten(machineEvent);
    }

    private void OnBalanceWritten(in MachineEvent write)
    {
        int cpu = write.CpuIndex;
        if (!_lockTests.TryGetValue(cpu, out MachineEvent test) || !_lockSets.TryGetValue(cpu, out MachineEvent set) || !_reads.TryGetValue(cpu, out MachineEvent read))
            return;
        var deposit = new Deposit(test, set, read, write);
        int lost = 0;
        Deposit? partner = null;
        for (int i = _deposits.Count - 1; i >= 0 && _deposits[i].Write.At > read.At; i--)
        {
            lost++;
            if (partner is null || deposit.RacesWith(_deposits[i])) partner = _deposits[i];
        }
        LostCount += lost;
        _deposits.Add(deposit);
        if (partner is not { } other) return;
        if (Found is not { } before || deposit.RacesWith(other) || !before.Overwriting.RacesWith(before.Lost)) Found = new LostUpdate(other, deposit, lost - 1);
    }
}
