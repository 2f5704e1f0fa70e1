using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Tests.Engines;

namespace Vmm.Tests.Privileged;

/// <summary>The interpreter with exception delivery, on a machine of 128 KiB.</summary>
internal sealed class InterpretedSystem
{
    private const ulong InstructionLimit = 10_000;

    public SystemState Run(SystemState from)
    {
        using TestMachine machine = new(SystemState.MemorySizeBytes);
        machine.Memory.Write(new GuestPhysicalAddress(0), from.Memory);
        machine.Vcpu.State = from.Cpu;
        machine.Reload();
        SystemState to = from.Clone();
        to.Outcome = SystemOutcome.TimedOut;
        for (int faults = 0; faults < 100 && to.Outcome == SystemOutcome.TimedOut; faults++)
        {
            bool faulted = machine.RunToFault(InstructionLimit);
            if (faulted && !InterruptDelivery.TryDeliverException(machine.Vcpu, machine.Vcpu.PendingException)) to.Outcome = SystemOutcome.ShutDown;
            else if (machine.Bus.Unimplemented is not null) to.Outcome = SystemOutcome.NoAnswer;
            else if (machine.Vcpu.State.Activity == VcpuActivity.Halted) to.Outcome = SystemOutcome.Halted;
            else if (!faulted) break;
            machine.Vcpu.UpdateFetchMode();
        }
        to.Cpu = machine.Vcpu.State;
        machine.Memory.Read(new GuestPhysicalAddress(0), to.Memory);
        return to;
    }
}
