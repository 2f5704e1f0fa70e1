namespace Vmm.Devices.Pci;

/// <summary>Offsets and bits of the configuration header (PCI Local Bus 3.0, 6.1 and 6.2).</summary>
internal static class PciRegisters
{
    public const int VendorId = 0x00, DeviceId = 0x02, Command = 0x04, Status = 0x06, RevisionId = 0x08, ClassCode = 0x09;
    public const int HeaderType = 0x0E, Bar0 = 0x10, SubsystemVendorId = 0x2C, SubsystemId = 0x2E;
    public const int CapabilitiesPointer = 0x34, InterruptLine = 0x3C, InterruptPin = 0x3D;

    public const ushort CommandIoSpace = 1, CommandMemorySpace = 2, CommandBusMaster = 4, CommandInterruptDisable = 0x400;
    public const byte StatusInterrupt = 0x08, StatusCapabilitiesList = 0x10;
    public const byte MultiFunction = 0x80;
}
