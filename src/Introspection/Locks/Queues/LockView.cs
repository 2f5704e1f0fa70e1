using System.Collections.Generic;

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
/// <param name="Name">As declared.</param>
/// <param name="Kind">"MCS", "spin" or "ticket".</param>
/// <param name="Address">Linear.</param>
/// <param name="State">What it is.</param>
/// <param name="Queue">Who holds it, then who waits, in the order in which they get it, as far as that is known.</param>
/// <param name="Problem">What is wrong or not known, in a sentence; null: nothing.</param>
public sealed record LockView(string Name, string Kind, ulong Address, LockState State, IReadOnlyList<LockWaiter> Queue, string? Problem = null);

/// <summary>One who holds a lock or waits for it.</summary>
/// <param name="IsOwner">Holds it.</param>
/// <param name="CpuIndex">On which vCPU; null: not running, or not known.</param>
/// <param name="Node">Address of the queue node; null: there is none.</param>
/// <param name="Description">In words.</param>
public sealed record LockWaiter(bool IsOwner, int? CpuIndex, ulong? Node, string Description);
