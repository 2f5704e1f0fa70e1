namespace Vmm.Cpu;

/// <summary>What a vCPU reaches outside itself. The machine implements it; the CPU knows no chip.</summary>
internal interface IVcpuBus
{
    uint ReadPort(Vcpu vcpu, ushort port, int sizeBytes);
    void WritePort(Vcpu vcpu, ushort port, int sizeBytes, uint value);

    /// <summary>The time-stamp counter before TSC_ADJUST, at the current instruction.</summary>
    ulong ReadTimeStampCounter();

    /// <summary>VcpuState.TscAdjust has changed.</summary>
    void TimeStampAdjusted(Vcpu vcpu);

    byte ReadTaskPriority(Vcpu vcpu);
    void WriteTaskPriority(Vcpu vcpu, byte value);

    /// <summary>IA32_APIC_BASE, TSC deadline and x2APIC MSRs. False: no such MSR, or #GP for the value.</summary>
    bool TryReadApicMsr(Vcpu vcpu, uint msr, out ulong value);
    bool TryWriteApicMsr(Vcpu vcpu, uint msr, ulong value);

    /// <summary>A privileged or sensitive instruction, counted and reported.</summary>
    void OnExit(Vcpu vcpu, ExitReason reason, long number, ulong value);

    /// <summary>The vCPU's interrupt flag, task priority or shadow may have changed: look at interrupts at the next boundary.</summary>
    void InterruptStateChanged(Vcpu vcpu);

    int CpuCount { get; }

    /// <summary>The guest asked for PAUSE: others may have their turn.</summary>
    void Yield(Vcpu vcpu);

    /// <summary>The debugger's breakpoint at <paramref name="linear"/>, which is mapped to <paramref name="physical"/>, is about to execute.</summary>
    void OnBreakpoint(Vcpu vcpu, ulong linear, ulong physical);

    /// <summary>An instruction that the engine does not know: the run ends here.</summary>
    void OnUnimplemented(Vcpu vcpu, string instruction);
}
