using Introspection.Layouts;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>Who uses a lock.</summary>
/// <param name="CpuIndex">The vCPU it ran on when it wanted it.</param>
/// <param name="Task">The task; 0: unknown.</param>
public readonly record struct LockUser(int CpuIndex, ulong Task);

/// <summary>One use of a lock: wanted, taken, given back.</summary>
public sealed class LockUse
{
    /// <summary>In place of a function's name, where the lock was taken by code that was inlined.</summary>
    public const string InlinedFunction = "inlined";

    private bool _isShared;

    /// <summary>The lock.</summary>
    public required LockRecord Lock { get; init; }

    public required LockUser User { get; init; }

    /// <summary>Return address of the call that takes it; where it is inlined, the address behind the instruction that wants it.</summary>
    public required ulong Caller { get; init; }

    /// <summary>Name of the function that takes it.</summary>
    public required string Function { get; init; }

    /// <summary>As one of several readers.</summary>
    public required bool IsShared { get => _isShared; init => _isShared = value; }

    /// <summary>It does not wait.</summary>
    public required bool IsTry { get; init; }

    /// <summary>
    /// The function that takes it is entered. Where it is inlined: the lock was free and is taken now, or it is looked at in vain for the second time, or it is queued for.
    /// </summary>
    public required Position Wanted { get; init; }

    /// <summary>The function that takes it returns, or the instruction is done that takes it; null: it has not.</summary>
    public Position? Taken { get; internal set; }

    /// <summary>The function that gives it back is entered, or the instruction is done that gives it back; null: it has not been.</summary>
    public Position? Released { get; internal set; }

    /// <summary>Somebody else had it when it was wanted.</summary>
    public bool IsContended { get; internal init; }

    /// <summary>It was tried, and not got.</summary>
    public bool IsFailed { get; internal set; }

    /// <summary>Its user left the function that takes it by another way, and has not got it; null: not that it is known.</summary>
    public Position? Abandoned { get; internal set; }

    /// <summary>How many other locks its user had when it was taken.</summary>
    public int Nesting { get; internal set; }

    /// <summary>Instructions on all vCPUs until it was taken; 0: it has not been.</summary>
    public ulong WaitInstructions => Taken is { } taken ? taken.InstructionCount - Wanted.InstructionCount : 0;

    /// <summary>Instructions on all vCPUs for which it was held; 0: it was not, or still is.</summary>
    public ulong HeldInstructions => Released is { } released && Taken is { } taken ? released.InstructionCount - taken.InstructionCount : 0;

    /// <summary>How the function is declared that takes it; null: it was not taken by one.</summary>
    internal LockFunctions? Declared { get; init; }

    /// <summary>Whoever waited is seen to be a reader, or not, only now that it has the lock.</summary>
    internal void TurnOut(bool isShared) => _isShared = isShared;

    internal bool KeepsInterruptsOff { get; init; }
    internal bool IsReportedForInterrupts { get; set; }

    /// <summary>It is held at a position.</summary>
    public bool IsHeldAt(Position at) => Taken is { } taken && taken <= at && (Released is not { } released || released > at);

    /// <summary>It is waited for at a position.</summary>
    public bool IsWaitingAt(Position at) => Wanted <= at && !IsFailed && (Taken is not { } taken || taken > at) && (Abandoned is not { } abandoned || abandoned > at);
}
