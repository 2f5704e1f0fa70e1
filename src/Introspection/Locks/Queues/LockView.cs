using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Locks.Queues;

/// <summary>What can be said of a lock.</summary>
public enum LockState
{
    Free,
    Held,
    /// <summary>Held, and others wait.</summary>
    Contended,
    /// <summary>Its memory is nothing that the lock could be; <see cref="LockView.Problem"/> says why.</summary>
    Corrupt,
}

/// <summary>A lock at a position.</summary>
/// <param name="Name">As declared, its symbol, or its address.</param>
/// <param name="Kind">"MCS", "spin", "ticket", "rw", "qspinlock" and so on.</param>
/// <param name="Address">Linear.</param>
/// <param name="State">What it is.</param>
/// <param name="Queue">Who holds it, then who waits, in the order in which they get it, as far as that is known.</param>
/// <param name="Problem">What is wrong or not known, in a sentence; null: nothing.</param>
public sealed record LockView(string Name, string Kind, ulong Address, LockState State, IReadOnlyList<LockWaiter> Queue, string? Problem = null)
{
    /// <summary>What its words say, as "tail 0x81002000" or "locked 1, pending 1, tail of CPU 2"; null: nothing beyond its state.</summary>
    public string? Words { get; init; }

    /// <summary>Of whom one holds it, where memory does not tell who.</summary>
    public IReadOnlyList<LockWaiter> PossibleOwners { get; init; } = [];
}

/// <summary>One who holds a lock or waits for it.</summary>
/// <param name="IsOwner">Holds it.</param>
/// <param name="CpuIndex">On which vCPU; null: not running, or not known.</param>
/// <param name="Node">Address of the queue node; null: there is none.</param>
/// <param name="Description">In words.</param>
public sealed record LockWaiter(bool IsOwner, int? CpuIndex, ulong? Node, string Description)
{
    /// <summary>The task; 0: not known.</summary>
    public ulong Task { get; init; }

    /// <summary>The node's link to the one behind it; null: there is no node, or it is not in memory.</summary>
    public ulong? Next { get; init; }

    /// <summary>The node's flag that says whether it has to wait; null: there is none.</summary>
    public bool? MustWait { get; init; }

    /// <summary>Since when it holds or waits; null: not known.</summary>
    public Position? Since { get; init; }

    /// <summary>Where it asked for the lock: a return address; 0: not known.</summary>
    public ulong Caller { get; init; }

    /// <summary>One of several readers.</summary>
    public bool IsShared { get; init; }
}
