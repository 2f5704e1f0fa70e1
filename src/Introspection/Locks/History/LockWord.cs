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

    public bool IsHeld(ulong value) => (value & HeldMask) != 0;

    /// <summary>What its bits can hold.</summary>
    public ulong Cut(ulong value) => SizeBytes == 8 ? value : value & ((1UL << (8 * SizeBytes)) - 1);
}
