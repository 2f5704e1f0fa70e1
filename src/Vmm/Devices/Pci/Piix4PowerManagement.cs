using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices.Pci;

/// <summary>
/// Function 3 of Intel's PIIX4 (82371AB, datasheet 290562-001) at 00:01.3: tells software where the ACPI power management registers are
/// (PMBASE at 0x40, switched on by bit 0 of PMREGMISC at 0x80) and decodes them there. The registers themselves belong to
/// another chip. Not modelled: SMBus, device monitors. SMI is marked as initialised (bit 25 of DEVACTB at 0x58), because this
/// machine has no system management mode: firmware then leaves it alone.
/// </summary>
internal sealed class Piix4PowerManagement : PciDevice
{
    private const int PmBase = 0x40, PmRegMisc = 0x80, DevActB = 0x58, PmSizeBytes = 64;
    private const int PmRegion = BarCount;
    private const uint DevActBApmcEnable = 1u << 25;

    private readonly IPortDevice _registers;
    private readonly int _registersBase;

    /// <param name="registers">The ACPI registers.</param>
    /// <param name="registersBase">The port that they think they start at: offset n arrives as port base + n.</param>
    public Piix4PowerManagement(IPortDevice registers, int registersBase = 0)
        : base("piix4pm", new PciIdentity(0x8086, 0x7113, 0x06_80_00, RevisionId: 3, SubsystemVendorId: 0x1AF4, SubsystemId: 0x1100))
    {
        _registers = registers;
        _registersBase = registersBase;
        Preset16(PciRegisters.Status, 0x0280);
        UseInterruptPin(1);
        Preset(PciRegisters.InterruptLine, 9, 0xFF); // The SCI is hardwired to interrupt 9.
        Preset32(PmBase, 1, 0xFFC0);
        Preset32(DevActB, DevActBApmcEnable, uint.MaxValue);
        Preset(PmRegMisc, 0, 1);
        Preset32(0x90, 1, 0xFFF0); // SMBus base: reads back, decodes nothing.
        Preset(0xD2, 0, 0x0F);
    }

    /// <summary>Switches the registers on at <paramref name="firstPort"/>, as firmware does, for kernels that are started without any.</summary>
    public void Enable(int firstPort)
    {
        WriteConfig(PmBase, 4, (uint)firstPort);
        WriteConfig(PmRegMisc, 1, 1);
    }

    protected internal override ulong ReadRegion(int region, ulong offset, int sizeBytes) =>
        _registers.ReadPort(new PortNumber((ushort)(_registersBase + (int)offset)), sizeBytes);

    protected internal override void WriteRegion(int region, ulong offset, int sizeBytes, ulong value) =>
        _registers.WritePort(new PortNumber((ushort)(_registersBase + (int)offset)), sizeBytes, (uint)value);

    internal override void CollectWindows(List<PciWindow> ports, List<PciWindow> memory)
    {
        base.CollectWindows(ports, memory);
        uint first = Config32(PmBase) & 0xFFC0;
        if ((ReadConfig(PmRegMisc, 1) & 1) != 0 && first != 0) ports.Add(new PciWindow(first, PmSizeBytes, this, PmRegion));
    }

    protected override void OnConfigWritten(int offset, int sizeBytes)
    {
        base.OnConfigWritten(offset, sizeBytes);
        bool moves = offset < PmBase + 4 && offset + sizeBytes > PmBase;
        if (moves || offset == PmRegMisc) RebuildWindows();
    }

    protected override void SaveFunction(StateWriter writer)
    {
    }

    protected override void RestoreFunction(StateReader reader)
    {
    }
}
