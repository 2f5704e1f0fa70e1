using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices.Pci;

/// <summary>
/// Function 0 of Intel's PIIX3 (82371SB, datasheet 290550-002), the PCI-to-ISA bridge at 00:01.0: routes PIRQA..PIRQD to ISA interrupts
/// (registers 0x60..0x63: bit 7 off, bits 3:0 the interrupt). The other ISA registers read back and do nothing.
/// </summary>
internal sealed class Piix3IsaBridge : PciDevice, IIrqSink
{
    private const int PirqRouteControl = 0x60, PirqCount = 4, IsaIrqCount = 16;
    private const byte RouteDisabled = 0x80;
    private const uint RoutableIrqs = 0b1101_1110_1111_1000; // 3..7, 9..12, 14, 15 (2.5.3)

    private readonly IReadOnlyList<IrqLine?> _isaIrqs;
    private readonly IReadOnlyList<IrqLine>? _apicInputs;
    private readonly int[] _assertedCounts = new int[PirqCount];
    /// <summary>ISA wires that are high because of a PIRQ. What ISA chips drive is none of the bridge's business.</summary>
    private uint _drivenIrqs;

    /// <param name="isaIrqs">16 wires, by ISA interrupt number; null where nothing can be routed to.</param>
    /// <param name="apicInputs">
    /// 4 wires for PIRQA..PIRQD to inputs of an I/O APIC of their own (16..19 on boards that have them), or null when PCI interrupts arrive
    /// only as ISA interrupts, as on QEMU's "pc".
    /// </param>
    public Piix3IsaBridge(IReadOnlyList<IrqLine?> isaIrqs, IReadOnlyList<IrqLine>? apicInputs = null)
        : base("piix3", new PciIdentity(0x8086, 0x7000, 0x06_01_00, SubsystemVendorId: 0x1AF4, SubsystemId: 0x1100))
    {
        ArgumentNullException.ThrowIfNull(isaIrqs);
        Invariant.Check(isaIrqs.Count == IsaIrqCount && (apicInputs is null || apicInputs.Count == PirqCount));
        _isaIrqs = isaIrqs;
        _apicInputs = apicInputs;
        Preset16(PciRegisters.Command, 0x0007, 0x0108);
        Preset16(PciRegisters.Status, 0x0200);
        Preset(0x4C, 0x4D, 0xFF);
        Preset(0x4E, 0x03, 0xFF);
        Preset(0x4F, 0x00, 0xFF);
        for (int i = 0; i < PirqCount; i++) Preset(PirqRouteControl + i, RouteDisabled, 0x8F);
        Preset(0x69, 0x02, 0xFE);
        Preset(0x70, 0x80, 0xFF);
        Preset(0x76, 0x0C, 0xFF);
        Preset(0x77, 0x0C, 0xFF);
        Preset(0x78, 0x02, 0xFF);
        Preset(0xA0, 0x08, 0xFF);
        Preset(0xA8, 0x0F, 0xFF);
    }

    /// <summary>Which PIRQ (0..3) a pin (0 is INTA) of a function is wired to: each slot is turned by one, as on QEMU's "pc".</summary>
    public static int PirqOf(int devfn, int pin) => ((devfn >> 3) + pin - 1) & 3;

    /// <summary>Routes the PIRQs as firmware does, for kernels that are started without any.</summary>
    public void Route(ReadOnlySpan<byte> irqOfPirq)
    {
        for (int i = 0; i < PirqCount; i++) WriteConfig(PirqRouteControl + i, 1, irqOfPirq[i]);
    }

    /// <summary>An INTx pin changed: input devfn * 4 + pin.</summary>
    public void SetIrqLevel(int input, bool high)
    {
        int pirq = PirqOf(input >> 2, input & 3);
        // Not below 0: a recording's damaged snapshot may have a function's pin high that is not counted here.
        _assertedCounts[pirq] = Math.Max(0, _assertedCounts[pirq] + (high ? 1 : -1));
        _apicInputs?[pirq].Set(_assertedCounts[pirq] > 0);
        DriveIsaIrqs();
    }

    protected internal override ulong ReadRegion(int region, ulong offset, int sizeBytes) => ulong.MaxValue;

    protected internal override void WriteRegion(int region, ulong offset, int sizeBytes, ulong value)
    {
    }

    protected override void OnConfigWritten(int offset, int sizeBytes)
    {
        base.OnConfigWritten(offset, sizeBytes);
        DriveIsaIrqs();
    }

    protected override void SaveFunction(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        for (int i = 0; i < PirqCount; i++) writer.Write("asserted", _assertedCounts[i]);
    }

    protected override void RestoreFunction(StateReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        for (int i = 0; i < PirqCount; i++)
        {
            int count = reader.ReadInt32("asserted");
            if (count is < 0 or > 256) throw new StateFormatException($"the snapshot says that {count} functions drive one PIRQ");
            _assertedCounts[i] = count;
        }
        // Only the wires that PIRQs drive, now or before: the others belong to chips that restore them.
        uint levels = IsaLevels(), mine = levels | _drivenIrqs;
        for (int irq = 0; irq < IsaIrqCount; irq++)
            if ((mine >> irq & 1) != 0) _isaIrqs[irq]?.Restore((levels >> irq & 1) != 0);
        _drivenIrqs = levels;
        for (int i = 0; i < PirqCount; i++) _apicInputs?[i].Restore(_assertedCounts[i] > 0);
    }

    private uint IsaLevels()
    {
        uint levels = 0;
        for (int i = 0; i < PirqCount; i++)
        {
            uint route = ReadConfig(PirqRouteControl + i, 1);
            if ((route & RouteDisabled) == 0 && _assertedCounts[i] > 0) levels |= 1u << (int)(route & 15);
        }
        return levels & RoutableIrqs;
    }

    private void DriveIsaIrqs()
    {
        uint levels = IsaLevels(), changed = levels ^ _drivenIrqs;
        _drivenIrqs = levels;
        for (int irq = 0; irq < IsaIrqCount; irq++)
            if ((changed >> irq & 1) != 0) _isaIrqs[irq]?.Set((levels >> irq & 1) != 0);
    }
}
