using System;
using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>The 8254 (Intel 231164), the MC146818A (Motorola ADI850) and the ACPI timer (ACPI 6.5, 4.8.3).</summary>
internal static class Timers
{
    private const ulong TimerHertz = 1_193_182, AcpiHertz = 3_579_545, NanosecondsPerSecond = 1_000_000_000;
    private static readonly string[] s_modes = ["interrupt on terminal count", "one-shot", "rate generator", "square wave", "software strobe", "hardware strobe"];
    private static readonly string[] s_access = ["latch", "low byte", "high byte", "low byte, high byte"];

    public static DeviceView DescribeTimer8254(ChipFields chip, ulong now)
    {
        var channels = new List<DeviceRegister>();
        string first = "";
        for (int i = 0; i < 3; i++)
        {
            chip.Number("channel");
            ulong mode = Math.Min(5, chip.Number("mode")), access = chip.Number("access") & 3, count = chip.Number("countRegister");
            bool isBcd = chip.Flag("isBcd"), gate = chip.Flag("gate"), isLoaded = chip.Flag("isLoaded"), isNull = chip.Flag("isNull");
            string rate = count == 0 || mode is not (2 or 3) ? "" : FormattableString.Invariant($", {TimerHertz / (double)count:0.##} Hz");
            string summary = count == 0 ? "no count written" : $"mode {mode}, count {count}{rate}{(isLoaded ? "" : ", not counting yet")}";
            if (i == 0) first = summary;
            channels.Add(new DeviceRegister($"Counter {i}", summary,
            [
                new("mode", $"{mode}: {s_modes[mode]}"), new("access", s_access[access]), new("BCD", RegisterText.YesNo(isBcd)), new("count", $"{count}"),
                new("GATE", gate ? "high" : "low"), new("null count", RegisterText.YesNo(isNull)),
            ]));
        }
        ulong deadline = chip.Number("deadline");
        bool irq = chip.Flag("irq");
        channels.Add(new DeviceRegister("OUT 0", irq ? "high" : "low"));
        channels.Add(new DeviceRegister("next edge", RegisterText.In(deadline, now)));
        return new DeviceView("8254 timer", $"counter 0: {first}; next interrupt {RegisterText.In(deadline, now)}", channels);
    }

    public static DeviceView DescribeRealTimeClock(ChipFields chip, ulong now)
    {
        ReadOnlySpan<byte> cmos = chip.Bytes("cmos").Span;
        ulong index = chip.Number("index"), flags = chip.Number("flags");
        bool isNmiMasked = chip.Flag("nmiMasked");
        long baseSeconds = (long)chip.Number("baseSeconds"), baseUpdate = (long)chip.Number("baseUpdate"), dividerStart = (long)chip.Number("dividerStart");
        byte a = cmos.Length > 10 ? cmos[10] : (byte)0, b = cmos.Length > 11 ? cmos[11] : (byte)0;
        bool isHeld = (a & 0x60) == 0x60 || (b & 0x80) != 0;
        long seconds = isHeld ? baseSeconds : baseSeconds + ((long)now - dividerStart) / (long)NanosecondsPerSecond - baseUpdate;
        string time = seconds is < -62_135_596_800 or > 253_402_300_799 ? $"{seconds} s since 1970"
            : FormattableString.Invariant($"{DateTime.UnixEpoch.AddSeconds(seconds):yyyy-MM-dd HH:mm:ss}");
        var memory = new List<DeviceRegister>();
        for (int i = 0; i < cmos.Length; i += 16) memory.Add(new DeviceRegister($"0x{i:x2}", Text.Hexadecimal.Bytes(cmos[i..Math.Min(cmos.Length, i + 16)])));
        return new DeviceView("MC146818A real-time clock", $"{time}{(isHeld ? ", stopped" : "")}; interrupts: {Interrupts(b)}",
        [
            new("time", time), new("index", $"{RegisterText.Hex(index, 8)}{(isNmiMasked ? ", NMI masked" : "")}"),
            new("Register A", $"{RegisterText.Hex(a, 8)}: divider {a >> 4 & 7}, rate {a & 15}"),
            new("Register B", RegisterText.Bits(b, 8, "DSE", "24/12", "DM", "SQWE", "UIE", "AIE", "PIE", "SET")),
            new("Register C", RegisterText.Bits(flags, 8, "", "", "", "", "UF", "AF", "PF", "IRQF")), new("CMOS memory", $"{cmos.Length} bytes", memory),
        ]);
    }

    public static DeviceView DescribeAcpi(ChipFields chip, ulong now)
    {
        ulong status = chip.Number("status"), enable = chip.Number("enable"), control = chip.Number("control");
        ulong tick = now / NanosecondsPerSecond * AcpiHertz + now % NanosecondsPerSecond * AcpiHertz / NanosecondsPerSecond;
        string[] names = ["TMR", "", "", "", "BM", "GBL", "", "", "PWRBTN", "SLPBTN", "RTC", "", "", "", "PCIEXP_WAKE", "WAK"];
        return new DeviceView("ACPI power management", $"timer 0x{(uint)tick:x8}; SCI {(chip.Flag("sci") ? "high" : "low")}",
        [
            new("PM1_STS", RegisterText.Bits(status, 16, names)), new("PM1_EN", RegisterText.Bits(enable, 16, names)),
            new("PM1_CNT", $"{RegisterText.Bits(control, 16, "SCI_EN")}; SLP_TYP {control >> 10 & 7}"), new("PM_TMR", RegisterText.Hex((uint)tick, 32)),
        ]);
    }

    private static string Interrupts(byte registerB)
    {
        var names = new List<string>();
        if ((registerB & 0x40) != 0) names.Add("periodic");
        if ((registerB & 0x20) != 0) names.Add("alarm");
        if ((registerB & 0x10) != 0) names.Add("update ended");
        return names.Count == 0 ? "none" : string.Join(", ", names);
    }
}
