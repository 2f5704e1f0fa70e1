using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Calls;

/// <summary>How a call was entered.</summary>
public enum CallEntry
{
    /// <summary>By a CALL.</summary>
    Call,
    /// <summary>By a jump from another function, or by running into it: that one's caller is returned to.</summary>
    TailCall,
    /// <summary>Not known: the instruction before was a return from an interrupt, or lies before what was replayed.</summary>
    Unknown,
}

/// <summary>What became of a call.</summary>
public enum CallEnd
{
    /// <summary>Not within the range that was looked at.</summary>
    Open,
    Returned,
    /// <summary>Never: its stack slot was used for another call meanwhile, as after <c>longjmp</c>.</summary>
    Abandoned,
}

/// <summary>One call of a function.</summary>
public sealed class FunctionCall
{
    public required CallTarget Target { get; init; }

    /// <summary>Just before the function's first instruction.</summary>
    public required Position Entry { get; init; }

    public required int CpuIndex { get; init; }

    /// <summary>CR3 without its lowest 12 bits.</summary>
    public required ulong AddressSpace { get; init; }

    public required CallEntry EnteredBy { get; init; }

    /// <summary>Linear address of the slot that holds the return address.</summary>
    public required ulong Slot { get; init; }

    /// <summary>Linear.</summary>
    public required ulong ReturnAddress { get; init; }

    public required IReadOnlyList<CallValue> Arguments { get; init; }

    /// <summary>As it was entered.</summary>
    public required CallRegisters Registers { get; init; }

    public CallEnd End { get; internal set; }

    /// <summary>Just before the first instruction behind the call.</summary>
    public Position? Return { get; internal set; }

    /// <summary>The vCPU that it returned on.</summary>
    public int? ReturnCpuIndex { get; internal set; }

    /// <summary>Null: it has not returned, or returns nothing.</summary>
    public CallValue? Result { get; internal set; }

    /// <summary>Instructions of the whole machine, all vCPUs and whatever interrupted it, from entry to return.</summary>
    public ulong? InstructionCount => Return is { } at ? at.InstructionCount - Entry.InstructionCount : null;

    // What follows is for pairing.

    /// <summary>Guest-physical address of the slot; null: unknown.</summary>
    internal ulong? SlotPhysical { get; init; }

    /// <summary>Behind its return; null: it has not returned.</summary>
    internal CallRegisters? ReturnRegisters { get; set; }

    /// <summary>The condition was not met when it returned.</summary>
    internal bool IsRejected { get; set; }

    /// <summary>It ran in the kernel.</summary>
    internal bool IsSupervisor { get; init; }

    /// <summary>
    /// Whether a stack slot of that linear address, seen now, is this call's. The kernel's stacks are the same memory in all address spaces, and a thread of it may be resumed in
    /// another one, as an exec does; a user's stack is where CR3 is, though its pages may be copied meanwhile.
    /// </summary>
    internal bool IsOnStack(ulong addressSpace, ulong? slotPhysical, bool isSupervisor) =>
        addressSpace == AddressSpace || (isSupervisor && IsSupervisor && slotPhysical is not null && slotPhysical == SlotPhysical);
}
