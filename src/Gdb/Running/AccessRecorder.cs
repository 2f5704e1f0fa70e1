using Vmm.Platform;

namespace Gdb.Running;

/// <summary>Keeps the first watched access of a single step.</summary>
internal sealed class AccessRecorder(BreakpointTable breakpoints) : IMachineObserver
{
    public uint WantedKinds => 1u << (int)MachineEventKind.Read | 1u << (int)MachineEventKind.Write;

    public StopReport? First { get; private set; }

    public void OnEvent(in MachineEvent machineEvent) => First ??= breakpoints.Report(machineEvent);

    public void Attach(Machine machine)
    {
        First = null;
        machine.Observer = this;
        machine.SetWatches(breakpoints.Watches());
    }

    public static void Detach(Machine machine)
    {
        machine.Observer = null;
        machine.SetWatches([]);
    }
}
