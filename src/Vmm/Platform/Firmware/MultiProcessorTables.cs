namespace Vmm.Platform.Firmware;

/// <summary>
/// The tables of Intel's MultiProcessor Specification 1.4, for kernels that do not read ACPI: a floating pointer structure followed by the
/// configuration table.
/// </summary>
internal static class MultiProcessorTables
{
    private const int FloatingPointerSizeBytes = 16, HeaderSizeBytes = 44;
    private const byte SpecificationRevision = 4;
    private const byte PciBus = 0, IsaBus = 1;
    /// <summary>Interrupt types of table 4-10.</summary>
    private const byte TypeInt = 0, TypeNmi = 1, TypeExtInt = 3;
    private const byte AllLocalApics = 0xFF;

    /// <summary>Builds both structures for <paramref name="address"/>, which must be a multiple of 16 (MP 1.4, 4.1).</summary>
    public static byte[] Build(int cpuCount, uint address)
    {
        Invariant.Check(address % 16 == 0);
        byte[] floating = new TableBuilder().Text("_MP_", 4).U32(address + FloatingPointerSizeBytes).U8(1).U8(SpecificationRevision)
            .Zeros(6).ToArray();
        TableBuilder.SetChecksum(floating, 10);

        var entries = new TableBuilder();
        int entryCount = Processors(entries, cpuCount) + BusesAndIoApic(entries) + Interrupts(entries);
        byte[] configuration = new TableBuilder().Text("PCMP", 4).U16((ushort)(HeaderSizeBytes + entries.SizeBytes))
            .U8(SpecificationRevision).U8(0).Text("TTVM", 8).Text("TTVM", 12).U32(0).U16(0).U16((ushort)entryCount)
            .U32((uint)PlatformLayout.LocalApicBase).U32(0).Bytes(entries.ToArray()).ToArray();
        TableBuilder.SetChecksum(configuration, 7);
        return new TableBuilder().Bytes(floating).Bytes(configuration).ToArray();
    }

    private static int Processors(TableBuilder t, int cpuCount)
    {
        const byte enabled = 1, bootstrap = 2, localApicVersion = 0x14;
        // Family 6, and the features a kernel may rely on before it asks CPUID: FPU, APIC, MMX-era basics (MP 1.4, table 4-5).
        const uint signature = 0x600, features = 0x201;
        for (int i = 0; i < cpuCount; i++)
            t.U8(0).U8((byte)i).U8(localApicVersion).U8((byte)(i == 0 ? enabled | bootstrap : enabled))
                .U32(signature).U32(features).Zeros(8);
        return cpuCount;
    }

    private static int BusesAndIoApic(TableBuilder t)
    {
        const byte ioApicVersion = 0x20, usable = 1;
        t.U8(1).U8(PciBus).Text("PCI", 6);
        t.U8(1).U8(IsaBus).Text("ISA", 6);
        t.U8(2).U8(PlatformLayout.IoApicId).U8(ioApicVersion).U8(usable).U32((uint)PlatformLayout.IoApicBase);
        return 3;
    }

    private static int Interrupts(TableBuilder t)
    {
        const ushort conforms = 0, activeHighLevel = 0xD;
        int count = 0;
        for (int irq = 0; irq < 16; irq++)
        {
            // IRQ 2 is the cascade of the 8259s and reaches no input.
            if (irq == 2) continue;
            int input = irq == PlatformLayout.TimerIrq ? PlatformLayout.TimerGlobalInterrupt : irq;
            ushort flags = irq == PlatformLayout.SciIrq ? activeHighLevel : conforms;
            t.U8(3).U8(TypeInt).U16(flags).U8(IsaBus).U8((byte)irq).U8(PlatformLayout.IoApicId).U8((byte)input);
            count++;
        }
        for (int slot = 0; slot < PlatformLayout.PciSlotCount; slot++)
        {
            for (int pin = 0; pin < PlatformLayout.PciPinCount; pin++)
            {
                t.U8(3).U8(TypeInt).U16(conforms).U8(PciBus).U8((byte)(slot << 2 | pin)).U8(PlatformLayout.IoApicId)
                    .U8((byte)PlatformLayout.PciGlobalInterrupt(slot, pin));
                count++;
            }
        }
        t.U8(4).U8(TypeExtInt).U16(conforms).U8(IsaBus).U8(0).U8(AllLocalApics).U8(0);
        t.U8(4).U8(TypeNmi).U16(conforms).U8(IsaBus).U8(0).U8(AllLocalApics).U8(1);
        return count + 2;
    }
}
