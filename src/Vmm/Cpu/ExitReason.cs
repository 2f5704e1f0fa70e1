namespace Vmm.Cpu;

/// <summary>
/// Why a real VMM would have left the guest: what trap and emulate costs. The numbers are part of the trace format.
/// </summary>
public enum ExitReason
{
    Exception = 0,
    ExternalInterrupt = 1,
    SoftwareInterrupt = 2,
    Hlt = 3,
    Pause = 4,
    Cpuid = 5,
    Rdtsc = 6,
    PortRead = 7,
    PortWrite = 8,
    MmioRead = 9,
    MmioWrite = 10,
    MsrRead = 11,
    MsrWrite = 12,
    ControlRegisterRead = 13,
    ControlRegisterWrite = 14,
    DebugRegister = 15,
    DescriptorTable = 16,
    Invlpg = 17,
    Cli = 18,
    Sti = 19,
    /// <summary>PUSHF and POPF, which read and write the interrupt flag (sensitive, not privileged).</summary>
    Flags = 20,
    Iret = 21,
    Syscall = 22,
    Sysret = 23,
    TaskSwitch = 24,
    CacheControl = 25,
    Monitor = 26,
    Count = 27,
}
