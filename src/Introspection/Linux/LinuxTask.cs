namespace Introspection.Linux;

/// <summary>A thread as the kernel knows it.</summary>
public sealed record LinuxTask
{
    /// <summary>Address of its <c>task_struct</c>.</summary>
    public required ulong Address { get; init; }

    /// <summary>The thread's number; 0: the idle thread of a CPU.</summary>
    public required int Pid { get; init; }

    /// <summary>The process's number: that of its first thread.</summary>
    public required int ProcessId { get; init; }

    /// <summary>The number of the parent's process; 0: it has none.</summary>
    public required int ParentId { get; init; }

    /// <summary>At most 15 characters.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// As <c>ps</c> shows it: R running or ready, S sleeping, D waiting and not to be disturbed, T stopped, t traced, X dead, Z zombie, P parked, I idle kernel thread; ?
    /// unknown.
    /// </summary>
    public required char State { get; init; }

    /// <summary>It runs in the kernel only.</summary>
    public required bool IsKernelThread { get; init; }

    /// <summary>It is on a CPU at this moment.</summary>
    public required bool IsRunning { get; init; }

    /// <summary>The CPU that it is on, or was on last, by the kernel's numbers; -1: unknown.</summary>
    public required int Cpu { get; init; }

    /// <summary>Address of its <c>mm_struct</c>; 0: a kernel thread's, or one that is exiting.</summary>
    public required ulong Mm { get; init; }

    /// <summary>Lowest address of its kernel stack.</summary>
    public required ulong Stack { get; init; }

    /// <summary>Where its kernel stack pointer was saved when it left its CPU last; meaningless while it runs.</summary>
    public required ulong SavedStackPointer { get; init; }
}

/// <summary>What a thread that does not run goes on with: what <c>__switch_to_asm</c> has pushed (<c>struct inactive_task_frame</c>).</summary>
public readonly record struct SwitchFrame(ulong Rip, ulong Rsp, ulong Rbp, ulong Rbx, ulong R12, ulong R13, ulong R14, ulong R15);
