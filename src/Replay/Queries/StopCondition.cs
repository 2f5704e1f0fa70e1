using System;
using Vmm.Platform;

namespace Replay.Queries;

/// <summary>Kinds of <see cref="StopCondition"/>.</summary>
public enum StopConditionKind
{
    Breakpoint, PhysicalBreakpoint, Exception, Interrupt, SoftwareInterrupt, Port, Mmio, Msr, ControlRegister, ConsoleText, Watch, Schedule,
}

/// <summary>What a watch looks at.</summary>
public enum WatchAccess { Read = 1, Write = 2, Access = 3 }

/// <summary>Which direction of an access to a port, MMIO register or MSR.</summary>
public enum AccessDirection { Read = 1, Write = 2, Either = 3 }

/// <summary>
/// Something at which a <see cref="Timelines.Timeline"/> stops when it continues, in either direction. Made by the
/// static methods.
/// </summary>
public sealed record StopCondition
{
    private StopCondition() { }

    public StopConditionKind Kind { get; private init; }
    /// <summary>Address, or number of the vector, port, MSR or register; -1: any.</summary>
    public long Number { get; private init; }
    public int SizeBytes { get; private init; }
    public bool IsPhysical { get; private init; }
    public bool Reads { get; private init; }
    public bool Writes { get; private init; }
    public string Text { get; private init; } = "";
    /// <summary>Only what this vCPU does; null: any.</summary>
    public int? CpuIndex { get; init; }

    /// <summary>A breakpoint only where RSP is within these, both included: what tells one call of a function from another; null: anywhere.</summary>
    public (ulong Lowest, ulong Highest)? Stack { get; init; }
    /// <summary>A breakpoint only in this address space, by the page table's address in CR3; null: in any.</summary>
    public ulong? AddressSpace { get; init; }

    /// <summary>
    /// A breakpoint, exception or interrupt only where this is true of the machine, which stands just before the instruction, or the delivery, and the vCPU's number; null:
    /// no matter. Called on the threads of scans, several at a time on different machines; must not change anything.
    /// </summary>
    public Func<Machine, int, bool>? Filter { get; init; }

    /// <summary>Just before the instruction at a linear address executes.</summary>
    public static StopCondition Breakpoint(ulong linearAddress) =>
        new() { Kind = StopConditionKind.Breakpoint, Number = (long)linearAddress };
    /// <summary>Just before an instruction at a guest-physical address executes.</summary>
    public static StopCondition PhysicalBreakpoint(ulong physicalAddress) =>
        new() { Kind = StopConditionKind.PhysicalBreakpoint, Number = (long)physicalAddress, IsPhysical = true };
    /// <summary>Delivery of an exception; null: of any.</summary>
    public static StopCondition Exception(int? vector = null) => new() { Kind = StopConditionKind.Exception, Number = vector ?? -1 };
    /// <summary>Delivery of a hardware interrupt; null: of any.</summary>
    public static StopCondition Interrupt(int? vector = null) => new() { Kind = StopConditionKind.Interrupt, Number = vector ?? -1 };
    /// <summary>INT n, INT3, INTO, SYSCALL, SYSENTER; null: any of them.</summary>
    public static StopCondition SoftwareInterrupt(int? vector = null) =>
        new() { Kind = StopConditionKind.SoftwareInterrupt, Number = vector ?? -1 };
    /// <summary>IN or OUT of a port.</summary>
    public static StopCondition Port(int port, AccessDirection direction = AccessDirection.Either) =>
        Directed(StopConditionKind.Port, port, 1, direction);
    /// <summary>IN or OUT of any of some ports in a row.</summary>
    public static StopCondition Ports(int first, int count, AccessDirection direction = AccessDirection.Either) =>
        Directed(StopConditionKind.Port, first, count, direction);
    /// <summary>An access to a chip's memory-mapped registers that touches the range.</summary>
    public static StopCondition Mmio(ulong physicalAddress, int sizeBytes = 1, AccessDirection direction = AccessDirection.Either) =>
        Directed(StopConditionKind.Mmio, (long)physicalAddress, sizeBytes, direction) with { IsPhysical = true };
    /// <summary>RDMSR or WRMSR of one model-specific register.</summary>
    public static StopCondition Msr(uint msr, AccessDirection direction = AccessDirection.Either) =>
        Directed(StopConditionKind.Msr, msr, 1, direction);
    /// <summary>RDMSR or WRMSR of any model-specific register.</summary>
    public static StopCondition AnyMsr(AccessDirection direction = AccessDirection.Either) => Directed(StopConditionKind.Msr, -1, 1, direction);
    /// <summary>A write of CR0, 2, 3, 4 or 8.</summary>
    public static StopCondition ControlRegister(int register) =>
        new() { Kind = StopConditionKind.ControlRegister, Number = register, Writes = true };
    /// <summary>A console has printed the text; stands just before the instruction that prints its last byte.</summary>
    public static StopCondition ConsoleText(string text) => new() { Kind = StopConditionKind.ConsoleText, Text = text };
    /// <summary>A vCPU gets its turn; null: any. With <see cref="CpuIndex"/>: that vCPU's turn is over.</summary>
    public static StopCondition Schedule(int? toCpuIndex = null) => new() { Kind = StopConditionKind.Schedule, Number = toCpuIndex ?? -1 };
    /// <summary>An access to memory: linear in whatever address space is current, or guest-physical.</summary>
    public static StopCondition Watch(ulong address, int sizeBytes, WatchAccess access, bool isPhysical) => new()
    {
        Kind = StopConditionKind.Watch, Number = (long)address, SizeBytes = sizeBytes, IsPhysical = isPhysical,
        Reads = (access & WatchAccess.Read) != 0, Writes = (access & WatchAccess.Write) != 0,
    };

    private static StopCondition Directed(StopConditionKind kind, long number, int sizeBytes, AccessDirection direction) => new()
    {
        Kind = kind, Number = number, SizeBytes = sizeBytes,
        Reads = (direction & AccessDirection.Read) != 0, Writes = (direction & AccessDirection.Write) != 0,
    };
}

/// <summary>A condition that was met.</summary>
/// <param name="Condition">Which one.</param>
/// <param name="Event">What happened; its At is where the timeline stands.</param>
public readonly record struct QueryHit(StopCondition Condition, MachineEvent Event);
