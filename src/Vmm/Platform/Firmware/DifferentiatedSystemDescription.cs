using static Vmm.Platform.Firmware.Aml;

namespace Vmm.Platform.Firmware;

/// <summary>
/// The definition block of the DSDT: soft off, the processors, the PCI host bridge with its windows and interrupt routing, and the ISA
/// devices that cannot be discovered.
/// </summary>
internal static class DifferentiatedSystemDescription
{
    public static byte[] Build(int cpuCount) => Join(
        // What the operating system last told through \_PIC: 0 for the 8259s (also before it tells), 1 for I/O APICs.
        Name("PICM", Integer(0)),
        Method("_PIC", 1, Store(Arg0, NameString("PICM"))),
        Name("_S5", Package(Integer(PlatformLayout.SleepTypeSoftOff), Integer(PlatformLayout.SleepTypeSoftOff), Integer(0), Integer(0))),
        Scope("_SB", Join(Processors(cpuCount)), HostBridge()));

    private static byte[][] Processors(int cpuCount)
    {
        byte[][] devices = new byte[cpuCount][];
        for (int i = 0; i < cpuCount; i++)
            devices[i] = Device($"CP{i:X2}", Name("_HID", Text("ACPI0007")), Name("_UID", Integer((ulong)i)));
        return devices;
    }

    private static byte[] HostBridge() => Device("PCI0",
        Name("_HID", EisaId("PNP0A03")),
        Name("_UID", Integer(0)),
        Name("_BBN", Integer(0)),
        Name("_CRS", ResourceTemplate(
            BusNumberWindow(0, 255),
            IoPorts(PlatformLayout.PciConfigAddressPort, 8),
            IoWindow(0, 0x0CF7),
            IoWindow(0x0D00, 0xFFFF),
            MemoryWindow(0x000A_0000, 0x000B_FFFF, cacheable: true),
            MemoryWindow(PlatformLayout.PciHoleStart, PlatformLayout.PciHoleLast, cacheable: false))),
        Name("PRTP", Routing(withIoApic: false)),
        Name("PRTA", Routing(withIoApic: true)),
        Method("_PRT", 0,
            If(NameString("PICM"), Return(NameString("PRTA"))),
            Return(NameString("PRTP"))),
        IsaBridge());

    /// <summary>
    /// Four pins of each slot, wired to fixed inputs (ACPI 6.2.13: a source of zero means that the index is the interrupt itself).
    /// </summary>
    private static byte[] Routing(bool withIoApic)
    {
        byte[][] entries = new byte[PlatformLayout.PciSlotCount * PlatformLayout.PciPinCount][];
        for (int i = 0; i < entries.Length; i++)
        {
            int slot = i / PlatformLayout.PciPinCount, pin = i % PlatformLayout.PciPinCount;
            int input = withIoApic ? PlatformLayout.PciGlobalInterrupt(slot, pin) : PlatformLayout.PciLegacyIrq(slot, pin);
            entries[i] = Package(Integer((ulong)slot << 16 | 0xFFFF), Integer((ulong)pin), Integer(0), Integer((ulong)input));
        }
        return Package(entries);
    }

    private static byte[] IsaBridge() => Device("ISA",
        Name("_ADR", Integer(PlatformLayout.IsaBridgeSlot << 16)),
        Serial("COM1", 1, PlatformLayout.Serial1Port, PlatformLayout.Serial1Irq),
        Serial("COM2", 2, PlatformLayout.Serial2Port, PlatformLayout.Serial2Irq),
        Device("RTC",
            Name("_HID", EisaId("PNP0B00")),
            Name("_CRS", ResourceTemplate(IoPorts(0x70, 2), Irq(PlatformLayout.RtcIrq)))),
        Device("KBD",
            Name("_HID", EisaId("PNP0303")),
            Name("_CRS", ResourceTemplate(IoPorts(0x60, 1), IoPorts(0x64, 1), Irq(PlatformLayout.KeyboardIrq)))),
        Device("MOU",
            Name("_HID", EisaId("PNP0F13")),
            Name("_CRS", ResourceTemplate(Irq(PlatformLayout.MouseIrq)))));

    private static byte[] Serial(string name, int number, ushort port, int irq) => Device(name,
        Name("_HID", EisaId("PNP0501")),
        Name("_UID", Integer((ulong)number)),
        Name("_CRS", ResourceTemplate(IoPorts(port, 8), Irq(irq))));
}
