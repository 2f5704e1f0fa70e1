using Introspection.Layouts;

namespace Introspection.Locks.History;

/// <summary>What a word of a lock says.</summary>
internal enum LockWordRole : byte
{
    /// <summary>Some of its bits are not 0 while somebody holds the lock.</summary>
    Locked,
    /// <summary>The next ticket that is given.</summary>
    NextTicket,
    /// <summary>The ticket that is served.</summary>
    Serving,
    /// <summary>Pointer to the last node of an MCS queue.</summary>
    Tail,
    /// <summary>The flag of an MCS node that says whether it waits, whichever lock's queue it is in.</summary>
    NodeFlag,
    /// <summary>Bits of a writer and the number of readers.</summary>
    ReadersAndWriter,
    /// <summary>The same of Linux's <c>rw_semaphore</c>, whose readers may be counted by somebody else who wakes them.</summary>
    SemaphoreCount,
    /// <summary>The owner of such a one: each reader that has it says so there.</summary>
    SemaphoreOwner,
}

/// <summary>A word that is watched, as the functions that take its lock are inlined.</summary>
/// <param name="Number">In the table.</param>
/// <param name="Role">What it says.</param>
/// <param name="Owner">Address of the lock; of a flag, of the node.</param>
/// <param name="Address">Linear.</param>
/// <param name="SizeBytes">1, 2, 4 or 8.</param>
/// <param name="TypeName">Of the lock.</param>
/// <param name="Type">The same.</param>
internal sealed record LockWord(short Number, LockWordRole Role, ulong Owner, ulong Address, int SizeBytes, string TypeName, LockType Type)
{
    /// <summary>The bits that are not 0 while it is held; others tell of those who wait.</summary>
    public ulong HeldMask { get; init; } = ulong.MaxValue;

    /// <summary>The flag is not 0 once the node has the lock; else while it waits.</summary>
    public bool IsGrant { get; init; }

    /// <summary>Address of the word that says which ticket is served; 0: it is another kind of word.</summary>
    public ulong ServingAddress { get; init; }

    /// <summary>Bits that, while one is not 0, say that it is not held yet: whoever it was handed to has to pick it up.</summary>
    public ulong PickUpMask { get; init; }

    /// <summary>Of readers and a writer: the bits that are not 0 while a writer has it.</summary>
    public ulong WriterMask { get; init; }

    /// <summary>Of readers and a writer: those that are not 0 while a reader who comes has to look again before it has the lock.</summary>
    public ulong BlockMask { get; init; }

    /// <summary>Of readers and a writer: where the number of readers begins.</summary>
    public int ReaderShift { get; init; }

    /// <summary>Of a semaphore: where its list of waiters is; and in a waiter, where the list's link and its task are.</summary>
    public SemaphoreWaiters? Waiters { get; init; }

    public bool IsHeld(ulong value) => (value & HeldMask) != 0 && (value & PickUpMask) == 0;

    public bool IsWritten(ulong value) => (value & WriterMask) != 0;

    /// <summary>How many readers are counted.</summary>
    public ulong ReadersIn(ulong value) => (value & ~WriterMask) >> ReaderShift;

    /// <summary>The same word of another lock, of one at address 0.</summary>
    public LockWord At(ulong address) => this with
    {
        Owner = address, Address = Address + address, ServingAddress = ServingAddress + address, Waiters = Waiters is { } own ? own with { Head = own.Head + address } : null,
    };

    /// <summary>What its bits can hold.</summary>
    public ulong Cut(ulong value) => SizeBytes == 8 ? value : value & ((1UL << (8 * SizeBytes)) - 1);
}

/// <summary>Where the waiters of a semaphore are.</summary>
/// <param name="Head">Linear address of the list's head.</param>
/// <param name="Link">Offset of the link in a waiter.</param>
/// <param name="Task">Offset of the pointer to its task.</param>
internal sealed record SemaphoreWaiters(ulong Head, ulong Link, ulong Task);
