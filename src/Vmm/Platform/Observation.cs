using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>Counts exits and tells the observer what it wants to know.</summary>
internal sealed class Observation(InstructionCounter counter)
{
    private IMachineObserver? _observer;
    private uint _wanted;

    public ExitCounters Exits { get; } = new();

    public IOutputSink Outputs { get; set; } = null!;

    public IMachineObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            _wanted = value?.WantedKinds ?? 0;
        }
    }

    public bool Wants(MachineEventKind kind) => (_wanted >> (int)kind & 1) != 0;

    public void Publish(MachineEventKind kind, Vcpu? vcpu, long number, ulong value, ulong address = 0, ulong physical = 0, int sizeBytes = 0)
    {
        if (!Wants(kind)) return;
        var machineEvent = new MachineEvent(counter.Position, kind, vcpu?.Index ?? 0, vcpu?.InstructionRip ?? 0, number, address, physical, sizeBytes, value);
        _observer!.OnEvent(machineEvent);
    }

    public void OnExit(Vcpu vcpu, ExitReason reason, long number, ulong value)
    {
        Exits.Increment(reason);
        if (_wanted == 0) return;
        switch (reason)
        {
            case ExitReason.MsrRead: Publish(MachineEventKind.MsrRead, vcpu, number, value); break;
            case ExitReason.MsrWrite: Publish(MachineEventKind.MsrWrite, vcpu, number, value); break;
            case ExitReason.ControlRegisterWrite: Publish(MachineEventKind.ControlRegisterWrite, vcpu, number, value); break;
            case ExitReason.SoftwareInterrupt or ExitReason.Syscall: Publish(MachineEventKind.SoftwareInterrupt, vcpu, number, value); break;
            case ExitReason.Hlt: Publish(MachineEventKind.Halt, vcpu, 0, 0); break;
        }
    }

    public void Output(OutputChannel channel, byte value)
    {
        Outputs.Write(counter.Position, channel, [value]);
        Publish(MachineEventKind.Output, counter.Running, (long)channel, value);
    }
}

/// <summary>A chip's output, on its way to the machine's sink.</summary>
internal sealed class OutputPort(Observation observation, OutputChannel channel) : Devices.IByteSink
{
    public void WriteByte(byte value) => observation.Output(channel, value);
}
