using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices.Pci;

/// <summary>
/// Intel 82441FX (440FX PMC, datasheet 290549-001), the host bridge at 00:00.0: configuration mechanism #1 at ports 0xCF8 and 0xCFC, and
/// the PAM and SMRAM registers. Those read back what was written but move nothing: the platform's RAM shows through below 1 MiB.
/// Not modelled: DRAM row boundaries, error reporting, buses other than 0.
/// </summary>
internal sealed class PciHostBridge : PciDevice, IPortDevice
{
    public const int AddressPort = 0xCF8, ResetControlPort = 0xCF9, DataPort = 0xCFC;

    private const uint AddressEnable = 0x8000_0000, AddressWritable = 0x80FF_FFFC;
    private const int FirstPam = 0x59, PamCount = 7, Smram = 0x72;

    private readonly PciBus _bus;
    private uint _address;

    public PciHostBridge(PciBus bus, PortBus ports)
        : base("pciHost", new PciIdentity(0x8086, 0x1237, 0x06_00_00, RevisionId: 2, SubsystemVendorId: 0x1AF4, SubsystemId: 0x1100))
    {
        _bus = bus;
        Preset16(PciRegisters.Command, 0x0006, 0x0102); // Memory space and bus mastering cannot be switched off (3.2.3).
        Preset16(PciRegisters.Status, 0x0280);
        for (int i = 0; i < PamCount; i++) Preset(FirstPam + i, 0, (byte)(i == 0 ? 0x30 : 0x33));
        Preset(Smram, 0x02, 0x78);
        for (int offset = 0x50; offset < FirstPam; offset++) Preset(offset, 0, 0xFF);
        for (int offset = 0x60; offset < 0x72; offset++) Preset(offset, 0, 0xFF);
        bus.Add(this, 0);
        ports.Map(AddressPort, 8, this);
    }

    /// <summary>Who answers byte accesses to port 0xCF9, the PIIX3's reset control register, which lies inside the address register's ports.</summary>
    public IPortDevice? ResetControl { get; set; }

    public uint ReadPort(PortNumber port, int sizeBytes)
    {
        if (port.Value >= DataPort) return ReadData(port.Value - DataPort, sizeBytes);
        if (port.Value == AddressPort && sizeBytes == 4) return _address;
        return port.Value == ResetControlPort && sizeBytes == 1 && ResetControl is not null ? ResetControl.ReadPort(port, 1) : uint.MaxValue;
    }

    public void WritePort(PortNumber port, int sizeBytes, uint value)
    {
        if (port.Value >= DataPort) WriteData(port.Value - DataPort, sizeBytes, value);
        // Only a whole dword reaches the address register; narrower writes go to whatever else is there (3.2.1).
        else if (port.Value == AddressPort && sizeBytes == 4) _address = value & AddressWritable;
        else if (port.Value == ResetControlPort && sizeBytes == 1) ResetControl?.WritePort(port, 1, value);
    }

    protected internal override ulong ReadRegion(int region, ulong offset, int sizeBytes) => ulong.MaxValue;

    protected internal override void WriteRegion(int region, ulong offset, int sizeBytes, ulong value)
    {
    }

    protected override void SaveFunction(StateWriter writer) => writer.Write("address", _address);

    protected override void RestoreFunction(StateReader reader) => _address = reader.ReadUInt32("address");

    private PciDevice? Selected =>
        (_address & AddressEnable) != 0 && (_address >> 16 & 0xFF) == 0 ? _bus.FindFunction((int)(_address >> 8 & 0xFF)) : null;

    private uint ReadData(int lane, int sizeBytes)
    {
        PciDevice? device = Selected;
        if (device is null || lane + sizeBytes > 4) return uint.MaxValue;
        return device.ReadConfig((int)(_address & 0xFC) + lane, sizeBytes);
    }

    private void WriteData(int lane, int sizeBytes, uint value)
    {
        if (lane + sizeBytes <= 4) Selected?.WriteConfig((int)(_address & 0xFC) + lane, sizeBytes, value);
    }
}
