using System;
using System.Collections.Generic;
using Vmm.Platform;

namespace Introspection.Devices;

/// <summary>The chips of a machine as their datasheets describe them, read from what they would save: looking has no side effects, as a real read would have.</summary>
public static class DeviceReader
{
    /// <summary>All chips, the interrupt controllers first.</summary>
    public static List<DeviceView> Read(Machine machine)
    {
        var devices = new List<DeviceView>();
        ulong now = machine.GuestNanoseconds;
        foreach (ChipState chip in machine.ReadChips())
            if (Describe(new ChipFields(chip), now) is { } view) devices.Add(view);
        return devices;
    }

    private static DeviceView? Describe(ChipFields chip, ulong now)
    {
        string name = chip.ChipName;
        if (name == "pic") return InterruptControllers.Describe8259(chip);
        if (name == "ioapic") return InterruptControllers.DescribeIoApic(chip);
        if (name.StartsWith("lapic", StringComparison.Ordinal)) return LocalApics.Describe(chip, now);
        if (name == "pit") return Timers.DescribeTimer8254(chip, now);
        if (name == "rtc") return Timers.DescribeRealTimeClock(chip, now);
        if (name == "acpi-pm") return Timers.DescribeAcpi(chip, now);
        if (name.StartsWith("uart", StringComparison.Ordinal)) return Serials.DescribeUart(chip);
        if (name == "i8042") return Serials.DescribeKeyboardController(chip);
        if (name == "vga") return Displays.DescribeVga(chip);
        if (name.StartsWith("ata", StringComparison.Ordinal)) return Disks.DescribeChannel(chip);
        if (name == "port-b") return Registers("System control port B", ("61H", RegisterText.Bits(chip.Number("control"), 8, "timer 2 gate", "speaker")));
        if (name == "reset-control")
        {
            return Registers("Reset control", ("CF9H", RegisterText.Bits(chip.Number("resetControl"), 8, "", "full", "reset")),
                ("92H", RegisterText.Bits(chip.Number("portA"), 8, "fast reset", "A20")));
        }
        if (name == "fwcfg") return Registers("Firmware configuration", ("selector", RegisterText.Hex(chip.Number("selected"), 16)), ("offset", $"{chip.Number("offset")}"));
        return chip.Count("config") > 0 ? PciFunctions.Describe(chip) : null;
    }

    // A chip that is said in one line.
    private static DeviceView Registers(string name, params ReadOnlySpan<(string Name, string Value)> registers)
    {
        var list = new List<DeviceRegister>();
        var summary = new List<string>();
        foreach ((string register, string value) in registers)
        {
            list.Add(new DeviceRegister(register, value));
            summary.Add($"{register} {value}");
        }
        return new DeviceView(name, string.Join("; ", summary), list);
    }
}
