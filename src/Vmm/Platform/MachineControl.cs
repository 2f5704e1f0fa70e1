using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Devices;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>What chips may do to the machine: look at interrupts again, start and stop processors, end it all.</summary>
internal sealed class MachineControl(IReadOnlyList<Vcpu> vcpus, InstructionCounter counter) : IInterruptSignal, IPowerControl, ICpuControl, ICurrentCpu
{
    public Outcome Outcome { get; private set; }

    public int CurrentCpuIndex => counter.Running?.Index ?? 0;

    /// <summary>The block that is running ends after its current instruction.</summary>
    public void Changed() => counter.Running?.EndBlockSoon();

    public void PowerOff() => End(OutcomeKind.PowerOff, 0, "the guest switched the machine off");

    public void Reset() => End(OutcomeKind.Reset, 0, "the guest reset the machine");

    public void DebugExit(uint value) => End(OutcomeKind.DebugExit, value, $"the guest wrote 0x{value:x} to the debug-exit port");

    public void Unimplemented(string instruction) =>
        End(OutcomeKind.Unimplemented, 0, $"the instruction {instruction} at RIP 0x{counter.Running?.InstructionRip:x} is not implemented");

    public void End(OutcomeKind kind, uint code, string detail)
    {
        if (Outcome.Kind == OutcomeKind.None) Outcome = new Outcome(kind, code, detail);
        Changed();
    }

    /// <summary>A snapshot was restored: whether the machine had ended is part of it.</summary>
    public void Restore(Outcome outcome) => Outcome = outcome;

    public void Init(int cpu)
    {
        Vcpu vcpu = vcpus[cpu];
        VcpuReset.Initialize(ref vcpu.State);
        vcpu.State.Activity = VcpuActivity.WaitingForSipi;
        vcpu.Mmu.Reload();
        Changed();
    }

    public void Startup(int cpu, byte vector)
    {
        Vcpu vcpu = vcpus[cpu];
        if (vcpu.State.Activity != VcpuActivity.WaitingForSipi) return;
        VcpuReset.Startup(ref vcpu.State, vector);
        vcpu.Mmu.Reload();
        Changed();
    }

    public void Nmi(int cpu)
    {
        vcpus[cpu].State.NmiPending = 1;
        Changed();
    }
}
