using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>What a vCPU does with locks.</summary>
internal enum LockStep : byte
{
    /// <summary>It enters a function that takes a lock.</summary>
    Want,
    /// <summary>It leaves a function that takes locks; of which call, the frame tells.</summary>
    Return,
    /// <summary>It enters a function that gives back a lock.</summary>
    Release,
    /// <summary>A hardware interrupt is delivered to it.</summary>
    Interrupt,
    /// <summary>The guest has failed: it enters a function that says so.</summary>
    Panic,
    /// <summary>It has seen for the second time, by the same instruction, that a lock's word says that it is held.</summary>
    Look,
    /// <summary>It stores to a word of a lock.</summary>
    Store,
    /// <summary>It reads and writes a word of a lock by one instruction.</summary>
    Swap,
}

/// <summary>What a look at a word with readers and a writer tells.</summary>
internal enum LockLook : byte
{
    /// <summary>No writer has the lock.</summary>
    NoWriter,
    /// <summary>It has to wait, for what is not known.</summary>
    InVain,
    /// <summary>It has to wait, and wants to write.</summary>
    ToWrite,
    /// <summary>It has to wait, and wants to read.</summary>
    ToRead,
}

/// <summary>One step, as a breakpoint shows it, or a watch on a word.</summary>
/// <param name="Count">Instruction count of its position.</param>
/// <param name="Ordinal">Event ordinal of its position.</param>
/// <param name="Step">What it does.</param>
/// <param name="CpuIndex">The vCPU.</param>
/// <param name="Function">Number of the function in the table, or of the word in its table; -1: none.</param>
/// <param name="HasInterruptsOn">The interrupt flag.</param>
/// <param name="Value">Address of the lock; the result of a return; what the word becomes.</param>
/// <param name="Frame">Tells calls apart: where the return address is. Of a word: what it was.</param>
/// <param name="Task">What the vCPU runs; 0: unknown.</param>
/// <param name="Caller">The return address; of a word, the address behind the instruction.</param>
internal readonly record struct LockEvent(ulong Count, uint Ordinal, LockStep Step, byte CpuIndex, short Function, bool HasInterruptsOn, ulong Value, ulong Frame, ulong Task, ulong Caller)
{
    /// <summary>
    /// Of a word: what its vCPU has read of it last; of one that gives tickets, the ticket that is served; of a semaphore's count, the task of its last waiter; of a look at a word with
    /// readers and a writer, a <see cref="LockLook"/>.
    /// </summary>
    public ulong Other { get; init; }

    /// <summary>Of a word that has no place of its own in the table: the lock.</summary>
    public ulong Lock { get; init; }

    public Position At => new(Count, Ordinal);
}
