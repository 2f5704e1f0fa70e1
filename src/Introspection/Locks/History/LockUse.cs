using System;
using System.Runtime.InteropServices;
using Introspection.Layouts;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>Who uses a lock.</summary>
/// <param name="CpuIndex">The vCPU it ran on when it wanted it.</param>
/// <param name="Task">The task; 0: unknown.</param>
public readonly record struct LockUser(int CpuIndex, ulong Task);

/// <summary>One use of a lock: wanted, taken, given back. There are hundreds of thousands of them, so that fields are packed.</summary>
public sealed class LockUse
{
    /// <summary>In place of a function's name, where the lock was taken by code that was inlined.</summary>
    public const string InlinedFunction = "inlined";

    [Flags]
    private enum Traits : ushort
    {
        Shared = 1,
        Try = 2,
        Contended = 4,
        Failed = 8,
        KeepsInterruptsOff = 16,
        ReportedForInterrupts = 32,
    }

    /// <summary>A position or none, in 12 bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Moment
    {
        private ulong _count;
        private uint _ordinalAndOne;

        public Position? At
        {
            readonly get => _ordinalAndOne == 0 ? null : new Position(_count, _ordinalAndOne - 1);
            set => (_count, _ordinalAndOne) = value is { } at ? (at.InstructionCount, at.EventOrdinal + 1) : (0, 0);
        }
    }

    private readonly ulong _task;
    private Moment _wanted, _taken, _released, _abandoned;
    private readonly short _cpuIndex;
    private Traits _traits;

    /// <summary>The lock.</summary>
    public required LockRecord Lock { get; init; }

    public required LockUser User
    {
        get => new(_cpuIndex, _task);
        init => (_cpuIndex, _task) = ((short)value.CpuIndex, value.Task);
    }

    /// <summary>Return address of the call that takes it; where it is inlined, the address behind the instruction that wants it.</summary>
    public required ulong Caller { get; init; }

    /// <summary>Name of the function that takes it.</summary>
    public required string Function { get; init; }

    /// <summary>As one of several readers.</summary>
    public required bool IsShared { get => Is(Traits.Shared); init => Set(Traits.Shared, value); }

    /// <summary>It does not wait.</summary>
    public required bool IsTry { get => Is(Traits.Try); init => Set(Traits.Try, value); }

    /// <summary>
    /// The function that takes it is entered. Where it is inlined: the lock was free and is taken now, or it is looked at in vain for the second time, or it is queued for.
    /// </summary>
    public required Position Wanted { get => _wanted.At.GetValueOrDefault(); init => _wanted.At = value; }

    /// <summary>The function that takes it returns, or the instruction is done that takes it; null: it has not.</summary>
    public Position? Taken { get => _taken.At; internal set => _taken.At = value; }

    /// <summary>The function that gives it back is entered, or the instruction is done that gives it back; null: it has not been.</summary>
    public Position? Released { get => _released.At; internal set => _released.At = value; }

    /// <summary>Somebody else had it when it was wanted.</summary>
    public bool IsContended { get => Is(Traits.Contended); internal init => Set(Traits.Contended, value); }

    /// <summary>It was tried, and not got.</summary>
    public bool IsFailed { get => Is(Traits.Failed); internal set => Set(Traits.Failed, value); }

    /// <summary>Its user left the function that takes it by another way, and has not got it; null: not that it is known.</summary>
    public Position? Abandoned { get => _abandoned.At; internal set => _abandoned.At = value; }

    /// <summary>How many other locks its user had when it was taken.</summary>
    public int Nesting { get; internal set; }

    /// <summary>Instructions on all vCPUs until it was taken; 0: it has not been.</summary>
    public ulong WaitInstructions => Taken is { } taken ? taken.InstructionCount - Wanted.InstructionCount : 0;

    /// <summary>Instructions on all vCPUs for which it was held; 0: it was not, or still is.</summary>
    public ulong HeldInstructions => Released is { } released && Taken is { } taken ? released.InstructionCount - taken.InstructionCount : 0;

    /// <summary>How the function is declared that takes it; null: it was not taken by one.</summary>
    internal LockFunctions? Declared { get; init; }

    /// <summary>Whoever waited is seen to be a reader, or not, only now that it has the lock.</summary>
    internal void TurnOut(bool isShared) => Set(Traits.Shared, isShared);

    internal bool KeepsInterruptsOff { get => Is(Traits.KeepsInterruptsOff); init => Set(Traits.KeepsInterruptsOff, value); }
    internal bool IsReportedForInterrupts { get => Is(Traits.ReportedForInterrupts); set => Set(Traits.ReportedForInterrupts, value); }

    /// <summary>It is held at a position.</summary>
    public bool IsHeldAt(Position at) => Taken is { } taken && taken <= at && (Released is not { } released || released > at);

    /// <summary>It is waited for at a position.</summary>
    public bool IsWaitingAt(Position at) => Wanted <= at && !IsFailed && (Taken is not { } taken || taken > at) && (Abandoned is not { } abandoned || abandoned > at);

    private bool Is(Traits trait) => (_traits & trait) != 0;

    private void Set(Traits trait, bool isSo) => _traits = isSo ? _traits | trait : _traits & ~trait;
}
