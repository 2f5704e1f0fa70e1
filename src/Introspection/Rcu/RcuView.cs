using System.Collections.Generic;
using Introspection.Programs;
using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>Read-copy-update at a position.</summary>
/// <param name="Kind">"declared", or "Linux tree RCU".</param>
/// <param name="GracePeriod">The one in progress, or that none is.</param>
/// <param name="Readers">Who is inside a critical section.</param>
/// <param name="Callbacks">What waits for the end of a grace period.</param>
/// <param name="Published">Pointers through which readers come, and what they point to.</param>
/// <param name="Problems">What is not known, a sentence each.</param>
public sealed record RcuView(string Kind, RcuGracePeriodView GracePeriod, IReadOnlyList<RcuReader> Readers, IReadOnlyList<RcuCallbacks> Callbacks,
    IReadOnlyList<PublishedPointer> Published, IReadOnlyList<string> Problems)
{
    /// <summary>What else there is, a sentence each: of Linux expedited grace periods, memory that is collected to be freed, and sleepable RCU that is in use.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];
}

/// <summary>Grace periods at a position. Linux counts from -300 on (kernel/rcu/tree.c, RCU_GP_SEQ_START).</summary>
/// <param name="Current">The number of the one in progress, or of the last; null: unknown.</param>
/// <param name="Completed">The last that has ended; null: unknown.</param>
/// <param name="IsInProgress">One waits for readers.</param>
/// <param name="State">The same in words.</param>
/// <param name="WaitsFor">Whom it waits for.</param>
public sealed record RcuGracePeriodView(long? Current, long? Completed, bool IsInProgress, string State, IReadOnlyList<RcuWait> WaitsFor);

/// <summary>One whom a grace period waits for.</summary>
/// <param name="CpuIndex">The vCPU; null: a task that runs on none.</param>
/// <param name="Task">Address of the task; 0: unknown, or it does not matter.</param>
/// <param name="Description">In words.</param>
public sealed record RcuWait(int? CpuIndex, ulong Task, string Description);

/// <summary>A reader inside its critical section.</summary>
public sealed record RcuReader
{
    /// <summary>On which vCPU; null: on none, as it lost it.</summary>
    public required int? CpuIndex { get; init; }

    /// <summary>Address of its task; 0: unknown.</summary>
    public ulong Task { get; init; }

    /// <summary>Null: unknown.</summary>
    public string? TaskName { get; init; }

    /// <summary>The grace period in which it began; null: it does not tell.</summary>
    public long? Period { get; init; }

    /// <summary>How many critical sections are nested; null: it does not tell.</summary>
    public int? Nesting { get; init; }

    /// <summary>The grace period in progress waits for it.</summary>
    public bool IsWaitedFor { get; init; }

    /// <summary>When its critical section began; null: not looked for, or not found.</summary>
    public Position? Since { get; init; }

    /// <summary>Return address of the call that began it; 0: unknown.</summary>
    public ulong Caller { get; init; }
}

/// <summary>Callbacks that wait.</summary>
/// <param name="CpuIndex">Whose they are; null: everybody's.</param>
/// <param name="Count">How many; null: unknown.</param>
/// <param name="Segments">The parts of the list, in order; empty: it has none.</param>
/// <param name="First">The first of them.</param>
public sealed record RcuCallbacks(int? CpuIndex, ulong? Count, IReadOnlyList<RcuSegment> Segments, IReadOnlyList<RcuCallback> First);

/// <summary>A part of a list of callbacks.</summary>
/// <param name="Name">What they wait for.</param>
/// <param name="Count">How many.</param>
/// <param name="Period">The grace period that they wait for; null: none, or unknown.</param>
public readonly record struct RcuSegment(string Name, ulong Count, long? Period = null)
{
    /// <summary>"12 waiting for grace period 45".</summary>
    public string Text => $"{Count} {Name}{(Period is { } period ? $" for grace period {period}" : "")}";
}

/// <summary>A callback.</summary>
/// <param name="Address">Of it.</param>
/// <param name="Function">What is called; 0: unknown.</param>
/// <param name="Segment">Name of the part of the list that it is in; null: the list has none.</param>
public readonly record struct RcuCallback(ulong Address, ulong Function, string? Segment = null)
{
    // kvfree_call_rcu and is_kvfree_rcu_offset (include/linux/rcupdate.h): the function is where the callback is in what is freed.
    private const ulong FreedBelow = 4096;

    /// <summary>What is called, by its symbol; or what is freed; empty: unknown.</summary>
    public string Text(ISymbolSource symbols) => Function is > 0 and < FreedBelow ? $"frees what is at 0x{Address - Function:x} (kfree_rcu)" : CodeText.Of(Function, symbols);
}

/// <summary>A published pointer.</summary>
/// <param name="Name">As declared, with its index where there are several.</param>
/// <param name="Address">Of the pointer.</param>
/// <param name="Value">What it points to; null: it is not in memory.</param>
public readonly record struct PublishedPointer(string Name, ulong Address, ulong? Value);
