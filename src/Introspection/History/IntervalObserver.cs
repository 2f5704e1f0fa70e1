using System.Collections.Generic;
using Introspection.Paging;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;

namespace Introspection.History;

/// <summary>Notes what happens while an interval is replayed.</summary>
internal sealed class IntervalObserver : IMachineObserver
{
    private const ulong RootMask = 0x000F_FFFF_FFFF_F000;
    /// <summary>INT 80H is the system call of 32-bit Linux; -1 stands for SYSCALL and SYSENTER.</summary>
    private const int LegacySystemCall = 0x80;

    private readonly List<HistoryEvent> _events = [];
    private ulong[] _roots = [];
    private Machine? _machine;

    public uint WantedKinds => 1u << (int)MachineEventKind.Exception | 1u << (int)MachineEventKind.Interrupt | 1u << (int)MachineEventKind.SoftwareInterrupt
        | 1u << (int)MachineEventKind.ControlRegisterWrite | 1u << (int)MachineEventKind.Schedule | 1u << (int)MachineEventKind.Input;

    public void Begin(Machine machine)
    {
        _events.Clear();
        _roots = new ulong[machine.Vcpus.Count];
        foreach (Vcpu vcpu in machine.Vcpus) _roots[vcpu.Index] = vcpu.State.Cr3 & RootMask;
        machine.Observer = this;
        _machine = machine;
    }

    public HistoryEvent[] End(Machine machine)
    {
        machine.Observer = null;
        _machine = null;
        return [.. _events];
    }

    public void OnEvent(in MachineEvent machineEvent)
    {
        HistoryEventKind kind;
        switch (machineEvent.Kind)
        {
            case MachineEventKind.Exception: kind = HistoryEventKind.Exception; break;
            case MachineEventKind.Interrupt: kind = HistoryEventKind.Interrupt; break;
            case MachineEventKind.Schedule: kind = HistoryEventKind.Schedule; break;
            // The host's time comes in often, and nobody sent it.
            case MachineEventKind.Input when machineEvent.Number != (long)InputKind.Time: kind = HistoryEventKind.Input; break;
            case MachineEventKind.SoftwareInterrupt when machineEvent.Number is < 0 or LegacySystemCall: kind = HistoryEventKind.SystemCall; break;
            case MachineEventKind.ControlRegisterWrite when machineEvent.Number == 3 && (machineEvent.Value & RootMask) != _roots[machineEvent.CpuIndex]:
                ulong before = _roots[machineEvent.CpuIndex], after = machineEvent.Value & RootMask;
                _roots[machineEvent.CpuIndex] = after;
                if (IsolatedTables.AreHalves(new GuestView(_machine!, _machine!.Vcpus[machineEvent.CpuIndex]), before, after)) return;
                kind = HistoryEventKind.ContextSwitch;
                break;
            default: return;
        }
        _events.Add(new HistoryEvent(machineEvent.At.InstructionCount, machineEvent.At.EventOrdinal, kind, (byte)machineEvent.CpuIndex, (short)machineEvent.Number));
    }
}
