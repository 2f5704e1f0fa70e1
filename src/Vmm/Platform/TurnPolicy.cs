using System.Collections.Generic;

namespace Vmm.Platform;

/// <summary>How vCPUs take turns. It is part of a recording's configuration by its name: what a name means never changes.</summary>
public enum TurnPolicy
{
    /// <summary>Long turns of equal length, one vCPU after the other; with <see cref="MachineConfiguration.ChaosSeed"/>, of random length and order.</summary>
    Standard = 0,
    /// <summary>Every turn is one instruction, as if the vCPUs ran side by side at one pace.</summary>
    SideBySide = 1,
    /// <summary>A vCPU runs until it waits (PAUSE, HLT), and only <see cref="MachineConfiguration.ForcedSwitches"/> interrupt it.</summary>
    Forced = 2,
}

/// <summary>A turn that is given whether or not the vCPU before was ready to give its own up.</summary>
/// <param name="InstructionCount">The boundary at which it is given.</param>
/// <param name="CpuIndex">Who gets it; if it cannot run, the next that can.</param>
public readonly record struct ForcedSwitch(ulong InstructionCount, int CpuIndex)
{
    /// <summary>A machine has at most so many.</summary>
    public const int MaximumCount = 1_000_000;

    /// <summary>Counts rise strictly, and every vCPU exists.</summary>
    public static bool AreValid(IReadOnlyList<ForcedSwitch> switches, int cpuCount)
    {
        if (switches.Count > MaximumCount) return false;
        for (int i = 0; i < switches.Count; i++)
        {
            if (switches[i].CpuIndex < 0 || switches[i].CpuIndex >= cpuCount) return false;
            if (i > 0 && switches[i].InstructionCount <= switches[i - 1].InstructionCount) return false;
        }
        return true;
    }
}

/// <summary>Why a turn ended.</summary>
public enum TurnEndReason
{
    /// <summary>Its time was up: the vCPU would have gone on.</summary>
    Over,
    /// <summary>The vCPU waits for another (PAUSE).</summary>
    GivenUp,
    /// <summary>It is halted.</summary>
    CannotRun,
    /// <summary>A forced switch.</summary>
    Forced,
}

/// <summary>A turn that was given.</summary>
/// <param name="InstructionCount">When.</param>
/// <param name="From">Whose turn it was.</param>
/// <param name="To">Whose it is now; it may be the same.</param>
/// <param name="Reason">Why.</param>
/// <param name="Interrupts">The vCPU before would have gone on: it neither waits nor is halted.</param>
public readonly record struct Turn(ulong InstructionCount, int From, int To, TurnEndReason Reason, bool Interrupts);

/// <summary>
/// Is told of every turn, before anything runs in it. Meant for machines that run from their start: right behind a restored snapshot a first turn that was given
/// up may look as if it were over.
/// </summary>
public interface ITurnObserver
{
    void OnTurn(in Turn turn);
}
