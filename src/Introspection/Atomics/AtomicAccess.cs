using System;
using Iced.Intel;
using Vmm.Time;

namespace Introspection.Atomics;

/// <summary>What an instruction does with a word.</summary>
public enum AtomicKind : byte
{
    /// <summary>It is only read.</summary>
    Load,
    /// <summary>CMPXCHG, CMPXCHG8B, CMPXCHG16B.</summary>
    CompareExchange,
    /// <summary>XCHG.</summary>
    Exchange,
    /// <summary>XADD.</summary>
    ExchangeAdd,
    /// <summary>Any other that reads and writes it: ADD, OR, INC, BTS and so on.</summary>
    Update,
    /// <summary>It is written without being read.</summary>
    Store,
}

/// <summary>One access, as a watch shows it.</summary>
internal struct AtomicAccess
{
    public Position At;
    public AtomicKind Kind;
    public int CpuIndex;
    /// <summary>What the vCPU runs; 0: unknown.</summary>
    public ulong Task;
    /// <summary>Linear address of the instruction.</summary>
    public ulong Code;
    /// <summary>Top of its stack: tells calls apart.</summary>
    public ulong Frame;
    public ulong Address;
    public int SizeBytes;
    public Mnemonic Mnemonic;
    /// <summary>No other vCPU comes in between: it has a LOCK prefix, or is an XCHG.</summary>
    public bool IsLocked;
    public UInt128 Expected, Old, New;

    /// <summary>Who does it: a task, wherever it runs; else a vCPU.</summary>
    public readonly ulong Actor => Task != 0 ? Task : (ulong)CpuIndex;

    public readonly bool HasWon => Kind != AtomicKind.CompareExchange || Expected == Old;
}

/// <summary>One attempt to change a word, or a plain store to it.</summary>
public sealed record AtomicAttempt
{
    /// <summary>Before the instruction.</summary>
    public required Position At { get; init; }

    public required AtomicKind Kind { get; init; }

    /// <summary>-1: a chip.</summary>
    public required int CpuIndex { get; init; }

    /// <summary>Address of the task's control block; 0: unknown.</summary>
    public required ulong Task { get; init; }

    /// <summary>Linear address of the instruction; 0: a chip's.</summary>
    public required ulong Code { get; init; }

    /// <summary>"lock cmpxchg", "xchg", "mov".</summary>
    public required string Instruction { get; init; }

    /// <summary>No other vCPU can come between its read and its write.</summary>
    public required bool IsLocked { get; init; }

    /// <summary>Where it reads and writes.</summary>
    public required ulong Address { get; init; }

    /// <summary>1 to 16.</summary>
    public required int SizeBytes { get; init; }

    /// <summary>Compare-and-swap: what it has to be; null: another kind.</summary>
    public required UInt128? Expected { get; init; }

    /// <summary>What was there.</summary>
    public required UInt128 Old { get; init; }

    /// <summary>What it was to become: of a compare-and-swap that lost, what it would have become.</summary>
    public required UInt128 New { get; init; }

    /// <summary>The word has become what it was to become.</summary>
    public required bool HasWon { get; init; }

    /// <summary>How many attempts of the same call failed directly before; 0: it is the first.</summary>
    public required int Retry { get; init; }

    /// <summary>Compare-and-swap: when the value that it expects was read from the word; null: it was not, or before the history begins.</summary>
    public required Position? ReadAt { get; init; }

    /// <summary>How often the word was changed since then.</summary>
    public required int ChangesSinceRead { get; init; }

    /// <summary>It won although the word was changed, and changed back, since its value was read.</summary>
    public bool IsDeceived => Kind == AtomicKind.CompareExchange && HasWon && ChangesSinceRead > 0;

    /// <summary>What is remarkable, in a sentence; null: nothing.</summary>
    public string? Remark => IsDeceived
        ? $"the value is the same, but was changed {ChangesSinceRead} time{(ChangesSinceRead == 1 ? "" : "s")} since it was read at {ReadAt}" : null;
}
