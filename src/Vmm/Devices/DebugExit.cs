using Vmm.Buses;

namespace Vmm.Devices;

/// <summary>QEMU's isa-debug-exit: a write of any size ends the machine with that value. It has no state.</summary>
internal sealed class DebugExit(IPowerControl power) : IPortDevice
{
    public const int Port = 0xF4;
    public const int PortCount = 4;

    public uint ReadPort(PortNumber port, int sizeBytes) => 0;

    public void WritePort(PortNumber port, int sizeBytes, uint value) => power.DebugExit(value);
}
