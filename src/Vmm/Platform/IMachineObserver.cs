using Vmm.Memory;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>Kinds of <see cref="MachineEvent"/>. The numbers are part of the trace format.</summary>
public enum MachineEventKind
{
    /// <summary>An instruction breakpoint: the vCPU is about to execute Address.</summary>
    Execute = 0,
    /// <summary>Watched memory is read (Size bytes at linear Address, physical Physical; Value is what is read).</summary>
    Read = 1,
    /// <summary>Watched memory is written (Value is what is stored).</summary>
    Write = 2,
    /// <summary>An exception is delivered (Number is the vector, Value the error code, Address CR2 for #PF).</summary>
    Exception = 3,
    /// <summary>A hardware interrupt is delivered (Number is the vector).</summary>
    Interrupt = 4,
    /// <summary>INT n, INT3, INTO, SYSCALL, SYSENTER (Number is the vector, or -1).</summary>
    SoftwareInterrupt = 5,
    PortRead = 6,
    PortWrite = 7,
    MmioRead = 8,
    MmioWrite = 9,
    MsrRead = 10,
    MsrWrite = 11,
    /// <summary>A control register is written (Number 0, 2, 3, 4, 8; Value is the new value).</summary>
    ControlRegisterWrite = 12,
    /// <summary>Bytes went out (Number is the OutputChannel, Value the byte).</summary>
    Output = 13,
    /// <summary>Another vCPU gets its turn (Number is its index).</summary>
    Schedule = 14,
    /// <summary>The vCPU was halted.</summary>
    Halt = 15,
    /// <summary>An input was taken (Number is the InputKind).</summary>
    Input = 16,
}

/// <summary>Something that happened, at the position of the instruction or event that did it: seeking there stands just before it.</summary>
/// <param name="At">Position before the instruction or event.</param>
/// <param name="Kind">What it was.</param>
/// <param name="CpuIndex">The vCPU that did it.</param>
/// <param name="Rip">RIP of the instruction that did it.</param>
/// <param name="Number">Vector, port, MSR, register, channel: see the kind.</param>
/// <param name="Address">Linear address, where the kind has one.</param>
/// <param name="Physical">Guest-physical address, where the kind has one.</param>
/// <param name="SizeBytes">Size of the access.</param>
/// <param name="Value">Value read or written.</param>
public readonly record struct MachineEvent(Position At, MachineEventKind Kind, int CpuIndex, ulong Rip, long Number, ulong Address,
    ulong Physical, int SizeBytes, ulong Value);

/// <summary>Watches a machine without influencing it. Called on the engine's thread.</summary>
public interface IMachineObserver
{
    /// <summary>Which kinds it wants: bit n for kind number n. Others are not reported.</summary>
    uint WantedKinds { get; }

    void OnEvent(in MachineEvent machineEvent);
}
