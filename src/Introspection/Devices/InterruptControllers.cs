using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>The 8259A pair (Intel 231468) and the I/O APIC (Intel 82093AA, 290566).</summary>
internal static class InterruptControllers
{
    private static readonly string[] s_deliveryModes = ["fixed", "lowest priority", "SMI", "reserved", "NMI", "INIT", "start-up", "ExtINT"];

    public static DeviceView Describe8259(ChipFields chip)
    {
        var registers = new List<DeviceRegister>();
        ulong open = 0, inService = 0;
        foreach (bool isMaster in (bool[])[true, false])
        {
            ulong lines = chip.Number("lines"), latch = chip.Number("edgeLatch"), served = chip.Number("inService"), mask = chip.Number("mask"), vector = chip.Number("vectorBase");
            ulong lowest = chip.Number("lowestPriority"), initialization = chip.Number("nextInitializationWord"), level = chip.Number("levelTriggered");
            ulong levels = level | (isMaster ? 4u : 0), requests = (latch & ~levels) | (lines & levels);
            int first = isMaster ? 0 : 8;
            open |= (~mask & 0xFF) << first;
            inService |= served << first;
            registers.Add(new DeviceRegister(isMaster ? "Master" : "Slave", $"vectors 0x{vector:x2} to 0x{vector + 7:x2}",
            [
                new("IRR", $"{RegisterText.Hex(requests, 8)}: requests {RegisterText.List(requests, 8, first)}"),
                new("ISR", $"{RegisterText.Hex(served, 8)}: in service {RegisterText.List(served, 8, first)}"),
                new("IMR", $"{RegisterText.Hex(mask, 8)}: masked {RegisterText.List(mask, 8, first)}"),
                new("ICW2", $"{RegisterText.Hex(vector, 8)}: first vector"),
                new("ELCR", $"{RegisterText.Hex(level, 8)}: level-triggered {RegisterText.List(level, 8, first)}"),
                new("lines", $"{RegisterText.Hex(lines, 8)}: high {RegisterText.List(lines, 8, first)}"),
                new("lowest priority", $"IR{lowest}"),
                new("initialization", initialization == 0 ? "done" : $"waits for ICW{initialization}"),
                new("automatic EOI", RegisterText.YesNo(chip.Flag("autoEoi"))),
                new("rotate on automatic EOI", RegisterText.YesNo(chip.Flag("rotateOnAutoEoi"))),
                new("special fully nested", RegisterText.YesNo(chip.Flag("specialFullyNested"))),
                new("special mask mode", RegisterText.YesNo(chip.Flag("specialMask"))),
                new("OCW3 reads", chip.Flag("readInService") ? "ISR" : "IRR"),
            ]));
        }
        bool output = chip.Flag("output");
        registers.Add(new DeviceRegister("INTR", output ? "high" : "low"));
        string opened = (open & ~4UL) == 0 ? "all masked" : $"open: IRQ {RegisterText.List(open & ~4UL, 16)}";
        return new DeviceView("8259A interrupt controllers", $"{opened}; in service: {RegisterText.List(inService & ~4UL, 16)}; INTR {(output ? "high" : "low")}", registers);
    }

    public static DeviceView DescribeIoApic(ChipFields chip)
    {
        var entries = new List<DeviceRegister>();
        int count = chip.Count("redirection");
        ulong open = 0;
        for (int i = 0; i < count; i++)
        {
            ulong entry = chip.Number("redirection");
            bool isMasked = (entry >> 16 & 1) != 0;
            if (!isMasked) open |= 1UL << i;
            string mode = s_deliveryModes[entry >> 8 & 7];
            string value = $"vector 0x{entry & 0xFF:x2}, {mode}, to {((entry >> 11 & 1) != 0 ? "logical" : "physical")} 0x{entry >> 56:x2}, {((entry >> 15 & 1) != 0 ? "level" : "edge")}"
                + $"{((entry >> 13 & 1) != 0 ? ", active low" : "")}{((entry >> 14 & 1) != 0 ? ", remote IRR" : "")}{(isMasked ? ", masked" : "")}";
            entries.Add(new DeviceRegister($"IOREDTBL{i}", isMasked && (entry & 0xFF) == 0 ? "masked" : value, [new("value", RegisterText.Hex(entry, 64))]));
        }
        ulong lines = chip.Number("lines"), index = chip.Number("index"), id = chip.Number("id");
        return new DeviceView("I/O APIC", open == 0 ? "all inputs masked" : $"open inputs: {RegisterText.List(open, count)}",
        [
            new("IOREGSEL", RegisterText.Hex(index, 8)), new("IOAPICID", RegisterText.Hex(id, 32)), new("lines", $"high: {RegisterText.List(lines, count)}"),
            new("IOREDTBL", $"{count} inputs", entries),
        ]);
    }
}
