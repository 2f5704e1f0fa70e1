using System;
using System.Collections.Generic;
using Vmm.Buses;

namespace Vmm.Devices.Pci;

/// <summary>
/// PCI bus 0: the functions on it and the addresses they decode. It claims every port and every address that no other chip has; chips at fixed
/// addresses win over it, whether they are mapped before or after. Which function answers is a function of the configuration
/// registers alone (the lowest device and function number, then the lowest BAR), never of the order in which they were written:
/// a restored machine must decode as the original did, and a BAR that is laid over a chip must not unmap it for ever.
/// Not modelled: bridges to other buses, bus-master enable, parity and system errors.
/// </summary>
internal sealed class PciBus : IPortDevice, IMmioDevice
{
    private const int FunctionCount = 256;

    private readonly PciDevice?[] _functions = new PciDevice?[FunctionCount];
    private readonly List<PciWindow> _ports = [];
    private readonly List<PciWindow> _memory = [];
    private readonly IIrqSink _interruptRouter;

    /// <param name="ports">Ports that nobody else has are decoded by functions here.</param>
    /// <param name="mmio">Addresses that nobody else has, likewise.</param>
    /// <param name="interruptRouter">Gets the INTx pins as inputs numbered devfn * 4 + pin (INTA is 0).</param>
    public PciBus(PortBus ports, MmioBus mmio, IIrqSink interruptRouter)
    {
        _interruptRouter = interruptRouter;
        ports.MapRest(this);
        mmio.MapRest(this);
    }

    /// <summary>Plugs a function in. Function 0 of a device becomes multi-function when another function is there.</summary>
    public void Add(PciDevice device, int deviceNumber, int functionNumber = 0)
    {
        Invariant.Check(deviceNumber is >= 0 and < 32 && functionNumber is >= 0 and < 8);
        int devfn = deviceNumber << 3 | functionNumber;
        Invariant.Check(_functions[devfn] is null);
        _functions[devfn] = device;
        device.Attach(this, devfn, new IrqLine(_interruptRouter, devfn * 4 + Math.Max(device.InterruptPin - 1, 0)));
        if (functionNumber != 0) _functions[deviceNumber << 3]?.MarkMultiFunction();
        else if (HasOtherFunctions(deviceNumber)) device.MarkMultiFunction();
        RebuildWindows();
    }

    /// <summary>The function at a device and function number, or null.</summary>
    public PciDevice? Find(int deviceNumber, int functionNumber) => _functions[deviceNumber << 3 | functionNumber];

    internal PciDevice? FindFunction(int devfn) => _functions[devfn];

    /// <summary>
    /// Does what firmware does, for kernels that are started without any: gives each BAR an address, switches decoding and bus mastering on
    /// and writes the interrupt line registers.
    /// </summary>
    /// <param name="firstPort">I/O BARs from here up.</param>
    /// <param name="firstAddress">Memory BARs from here up.</param>
    /// <param name="irqOfPirq">ISA interrupts of PIRQA..PIRQD, as the ISA bridge was told.</param>
    public void AssignResources(uint firstPort, uint firstAddress, ReadOnlySpan<byte> irqOfPirq)
    {
        uint nextPort = firstPort, nextAddress = firstAddress;
        for (int devfn = 0; devfn < FunctionCount; devfn++)
        {
            PciDevice? device = _functions[devfn];
            if (device is null) continue;
            device.AssignBars(ref nextPort, ref nextAddress);
            // A line that is hardwired (the PIIX4's SCI) is there already.
            if (device.InterruptPin != 0 && device.ReadConfig(PciRegisters.InterruptLine, 1) == 0)
                device.WriteConfig(PciRegisters.InterruptLine, 1, irqOfPirq[Piix3IsaBridge.PirqOf(devfn, device.InterruptPin - 1)]);
        }
    }

    public uint ReadPort(PortNumber port, int sizeBytes) =>
        TryFind(_ports, port.Value, out PciWindow window)
            ? (uint)window.Device.ReadRegion(window.Region, port.Value - window.First, sizeBytes)
            : uint.MaxValue;

    public void WritePort(PortNumber port, int sizeBytes, uint value)
    {
        if (TryFind(_ports, port.Value, out PciWindow window)) window.Device.WriteRegion(window.Region, port.Value - window.First, sizeBytes, value);
    }

    public ulong ReadMmio(ulong offset, int sizeBytes) =>
        TryFind(_memory, offset, out PciWindow window)
            ? window.Device.ReadRegion(window.Region, offset - window.First, sizeBytes)
            : ulong.MaxValue;

    public void WriteMmio(ulong offset, int sizeBytes, ulong value)
    {
        if (TryFind(_memory, offset, out PciWindow window)) window.Device.WriteRegion(window.Region, offset - window.First, sizeBytes, value);
    }

    /// <summary>Looks at every function's registers again after one of them changed what it decodes.</summary>
    internal void RebuildWindows()
    {
        _ports.Clear();
        _memory.Clear();
        foreach (PciDevice? device in _functions) device?.CollectWindows(_ports, _memory);
    }

    private bool HasOtherFunctions(int deviceNumber)
    {
        for (int function = 1; function < 8; function++)
            if (_functions[deviceNumber << 3 | function] is not null) return true;
        return false;
    }

    private static bool TryFind(List<PciWindow> windows, ulong address, out PciWindow window)
    {
        for (int i = 0; i < windows.Count; i++)
        {
            window = windows[i];
            if (address - window.First < window.SizeBytes) return true;
        }
        window = default;
        return false;
    }
}
