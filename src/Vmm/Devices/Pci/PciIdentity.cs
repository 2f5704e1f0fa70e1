namespace Vmm.Devices.Pci;

/// <summary>The read-only identification registers of a PCI function.</summary>
/// <param name="VendorId">Configuration offset 0x00.</param>
/// <param name="DeviceId">Offset 0x02.</param>
/// <param name="ClassCode">Offsets 0x09..0x0B: programming interface in the low byte, then subclass, then base class.</param>
/// <param name="RevisionId">Offset 0x08.</param>
/// <param name="SubsystemVendorId">Offset 0x2C.</param>
/// <param name="SubsystemId">Offset 0x2E.</param>
internal readonly record struct PciIdentity(ushort VendorId, ushort DeviceId, uint ClassCode, byte RevisionId = 0,
    ushort SubsystemVendorId = 0, ushort SubsystemId = 0);
