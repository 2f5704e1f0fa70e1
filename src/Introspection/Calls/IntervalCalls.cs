using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Calls;

/// <summary>A vCPU stood behind a call with its stack as after a return.</summary>
internal readonly record struct ReturnEvent(ulong Address, ulong AddressSpace, ulong? SlotPhysical, bool IsSupervisor, Position At, int CpuIndex, CallRegisters Registers);

/// <summary>The first entry that found its return address in a slot.</summary>
/// <param name="AddressSpace">CR3 without its lowest 12 bits.</param>
/// <param name="SlotPhysical">Guest-physical address of the slot; null: unknown.</param>
/// <param name="IsSupervisor">In the kernel.</param>
/// <param name="EnteredBy">How.</param>
/// <param name="Target">Which function.</param>
/// <param name="ReturnAddress">What the slot held.</param>
/// <param name="Call">Null: it was not wanted.</param>
internal readonly record struct FirstEntry(ulong AddressSpace, ulong? SlotPhysical, bool IsSupervisor, CallEntry EnteredBy, CallTarget Target, ulong ReturnAddress, FunctionCall? Call);

/// <summary>What one interval has of calls, and what it says about those that began in earlier ones.</summary>
internal sealed class IntervalCalls
{
    /// <summary>In the order of their entries.</summary>
    public required List<FunctionCall> Calls { get; init; }

    /// <summary>Those that have not returned.</summary>
    public required List<FunctionCall> Open { get; init; }

    /// <summary>Return addresses that were watched from the start.</summary>
    public required HashSet<ulong> Watched { get; init; }

    /// <summary>Returns of no call of this interval, by the slot; only the first of each kind, and none behind an entry at that slot.</summary>
    public required Dictionary<ulong, List<ReturnEvent>> EarlyReturns { get; init; }

    /// <summary>By slot, the first of each stack.</summary>
    public required Dictionary<ulong, List<FirstEntry>> FirstEntries { get; init; }

    /// <summary>Entries that were none: the first instruction of a call from an earlier interval was begun again.</summary>
    public required List<Position> Resumed { get; init; }
}
