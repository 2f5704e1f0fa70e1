using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>What can be wrong with the use of locks.</summary>
public enum LockFindingKind
{
    /// <summary>An exclusive lock was taken while somebody else had it.</summary>
    TwoHolders,
    /// <summary>It was given back by one who did not have it.</summary>
    ReleasedByOther,
    /// <summary>It was given back, and nobody had it.</summary>
    ReleasedWhileFree,
    /// <summary>It was taken again by the one who had it already.</summary>
    TakenTwice,
    /// <summary>All of a ring wait for the next one's lock.</summary>
    Deadlock,
    /// <summary>Two locks were taken in one order here and in the other there: a deadlock, had it been at the same time.</summary>
    OrderInversion,
    /// <summary>Interrupts were on while a lock was held that interrupt handlers take too.</summary>
    InterruptsOn,
    /// <summary>It was given back, and one who waits for it did not get it, though nobody else has it when the guest fails.</summary>
    LostWakeUp,
    /// <summary>It was held when the guest failed.</summary>
    HeldAtFailure,
    /// <summary>Locks of two classes were taken in one order here and, other ones of the same classes, in the other there.</summary>
    ClassInversion,
}

/// <summary>Something wrong, at its first moment.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">When it shows.</param>
/// <param name="User">Who did it.</param>
/// <param name="Uses">The uses of locks that make it so, and when each began.</param>
public sealed record LockFinding(LockFindingKind Kind, Position At, LockUser User, IReadOnlyList<LockUse> Uses)
{
    /// <summary>Of an inversion of classes: what these are, that of the first use first.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];
}
