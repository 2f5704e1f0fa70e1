using System.Collections.Generic;
using Introspection.Layouts;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>What became of one lock in a part of a recording. Lengths are instructions on all vCPUs.</summary>
public sealed class LockRecord
{
    private readonly List<LockUse> _uses = [];

    internal LockRecord(int number, ulong address, string typeName, LockType type) => (Number, Address, TypeName, Type) = (number, address, typeName, type);

    /// <summary>In the history: from 0 on.</summary>
    internal int Number { get; }

    /// <summary>Linear.</summary>
    public ulong Address { get; }

    /// <summary>As declared.</summary>
    public string TypeName { get; }

    public LockType Type { get; }

    public long TakenCount { get; private set; }

    /// <summary>How often somebody else had it when it was wanted.</summary>
    public long ContendedCount { get; private set; }

    /// <summary>Failed attempts of functions that do not wait.</summary>
    public long FailedCount { get; private set; }

    /// <summary>How often it was given from one to the next who waited already.</summary>
    public long HandOffCount { get; private set; }

    public ulong TotalWait { get; private set; }
    public ulong TotalHeld { get; private set; }

    /// <summary>The use that waited longest; null: it was never taken.</summary>
    public LockUse? LongestWait { get; private set; }

    /// <summary>The use that held it longest; null: it was never given back.</summary>
    public LockUse? LongestHeld { get; private set; }

    public int MaximumWaiters { get; private set; }

    /// <summary>When so many waited for the first time.</summary>
    public Position MaximumWaitersAt { get; private set; }

    /// <summary>Its uses in the order in which they were wanted; not all where <see cref="IsCut"/>.</summary>
    public IReadOnlyList<LockUse> Uses => _uses;

    /// <summary>There were more uses than there is room for.</summary>
    public bool IsCut { get; private set; }

    internal LockUse? LastReleased { get; private set; }
    internal List<LockUse> Holders { get; } = [];
    internal List<LockUse> Waiters { get; } = [];

    // Without closures: this is asked at every step of every lock.

    /// <summary>Somebody has it who keeps one out that wants it in a way; null: nobody.</summary>
    internal LockUse? HolderBeside(bool isShared)
    {
        foreach (LockUse use in Holders)
            if (!(isShared && use.IsShared)) return use;
        return null;
    }

    /// <summary>Somebody has it in a way; null: nobody.</summary>
    internal LockUse? HolderAs(bool isShared)
    {
        foreach (LockUse use in Holders)
            if (use.IsShared == isShared) return use;
        return null;
    }

    internal void Want(LockUse use, bool keeps)
    {
        if (keeps) _uses.Add(use);
        else IsCut = true;
        if (use.IsTry) return;
        if (use.IsContended) ContendedCount++;
        Waiters.Add(use);
        // Who comes to a free lock only passes by.
        int waiting = Waiters.Count - (Holders.Count == 0 ? 1 : 0);
        if (waiting > MaximumWaiters) (MaximumWaiters, MaximumWaitersAt) = (waiting, use.Wanted);
    }

    internal void Fail(LockUse use)
    {
        FailedCount++;
        use.IsFailed = true;
        Waiters.Remove(use);
    }

    internal void Take(LockUse use, Position at)
    {
        use.Taken = at;
        Waiters.Remove(use);
        Holders.Add(use);
        TakenCount++;
        if (use.IsContended) HandOffCount++;
        TotalWait += use.WaitInstructions;
        if (LongestWait is null || use.WaitInstructions > LongestWait.WaitInstructions) LongestWait = use;
    }

    internal void Release(LockUse use, Position at)
    {
        use.Released = at;
        LastReleased = use;
        Holders.Remove(use);
        TotalHeld += use.HeldInstructions;
        if (LongestHeld is null || use.HeldInstructions > LongestHeld.HeldInstructions) LongestHeld = use;
    }
}
