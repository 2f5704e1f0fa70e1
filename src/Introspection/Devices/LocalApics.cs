using System;
using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>A processor's local APIC (SDM 3A chapter 11).</summary>
internal static class LocalApics
{
    private static readonly string[] s_entries = ["LVT timer", "LVT thermal", "LVT performance", "LVT LINT0", "LVT LINT1", "LVT error"];
    private static readonly string[] s_deliveryModes = ["fixed", "lowest priority", "SMI", "reserved", "NMI", "INIT", "start-up", "ExtINT"];
    private static readonly string[] s_timerModes = ["one-shot", "periodic", "TSC-deadline", "reserved"];
    private static readonly string[] s_shorthands = ["", ", to itself", ", to all", ", to all others"];

    public static DeviceView Describe(ChipFields chip, ulong now)
    {
        ulong apicBase = chip.Number("apicBase");
        List<int> requested = Vectors(chip.Bytes("irr")), served = Vectors(chip.Bytes("isr")), level = Vectors(chip.Bytes("tmr"));
        ulong tpr = chip.Number("tpr"), ldr = chip.Number("ldr"), dfr = chip.Number("dfr"), svr = chip.Number("svr"), icrLow = chip.Number("icrLow"), icrHigh = chip.Number("icrHigh");
        ulong esr = chip.Number("esr");
        var registers = new List<DeviceRegister>
        {
            new("IA32_APIC_BASE", $"{RegisterText.Hex(apicBase, 64)}: {((apicBase >> 8 & 1) != 0 ? "BSP, " : "")}{((apicBase >> 10 & 1) != 0 ? "x2APIC, " : "")}"
                + ((apicBase >> 11 & 1) != 0 ? "enabled" : "disabled")),
            new("ID", $"{chip.ChipNumber}"),
            new("TPR", RegisterText.Hex(tpr, 8)),
            new("PPR", RegisterText.Hex(Math.Max(tpr, served.Count > 0 ? (ulong)(served[^1] & 0xF0) : 0), 8)),
            new("LDR", RegisterText.Hex(ldr, 32)),
            new("DFR", $"{RegisterText.Hex(dfr, 32)}: {(dfr >> 28 == 0 ? "cluster" : "flat")} model"),
            new("SVR", $"{RegisterText.Hex(svr, 32)}: {((svr >> 8 & 1) != 0 ? "software-enabled" : "software-disabled")}, spurious vector 0x{svr & 0xFF:x2}"),
            new("IRR", Text(requested)), new("ISR", Text(served)), new("TMR", Text(level)),
            new("ESR", RegisterText.Bits(esr, 8, "", "", "", "", "", "send illegal vector", "receive illegal vector", "illegal register")),
            new("ICR", $"{RegisterText.Hex(icrHigh << 32 | icrLow, 64)}: vector 0x{icrLow & 0xFF:x2}, {s_deliveryModes[icrLow >> 8 & 7]}{s_shorthands[icrLow >> 18 & 3]}"),
        };
        for (int i = 0; i < s_entries.Length; i++)
        {
            ulong entry = chip.Number("lvt");
            string kind = i == 0 ? s_timerModes[entry >> 17 & 3] : i == 5 ? "fixed" : s_deliveryModes[entry >> 8 & 7];
            registers.Add(new DeviceRegister(s_entries[i], $"{RegisterText.Hex(entry, 32)}: vector 0x{entry & 0xFF:x2}, {kind}{((entry >> 16 & 1) != 0 ? ", masked" : "")}"));
        }
        string timer = AddTimer(chip, now, registers);
        string state = (apicBase >> 11 & 1) == 0 ? "disabled" : (svr >> 8 & 1) == 0 ? "software-disabled" : "enabled";
        return new DeviceView($"Local APIC {chip.ChipNumber}", $"{state}; requested: {Text(requested)}; in service: {Text(served)}; timer {timer}", registers);
    }

    private static string AddTimer(ChipFields chip, ulong now, List<DeviceRegister> registers)
    {
        ulong mode = chip.Number("timerMode"), divide = chip.Number("divide"), initial = chip.Number("initialCount"), start = chip.Number("timerStart");
        bool isRunning = chip.Flag("timerRunning"), isMasked = chip.Flag("timerMasked");
        ulong tscDeadline = chip.Number("tscDeadline"), deadline = chip.Number("deadline");
        // Bits 0, 1 and 3: 000 divides by 2, ... 110 by 128, 111 by 1.
        int shift = ((int)(divide & 3 | divide >> 1 & 4) + 1) & 7;
        ulong passed = now > start ? now - start >> shift : 0, current = !isRunning || initial == 0 ? 0 : mode == 1 ? initial - passed % initial : initial > passed ? initial - passed : 0;
        registers.Add(new DeviceRegister("initial count", $"{initial}"));
        registers.Add(new DeviceRegister("current count", $"{current}"));
        registers.Add(new DeviceRegister("divide configuration", $"{RegisterText.Hex(divide, 4)}: by {1 << shift}"));
        registers.Add(new DeviceRegister("IA32_TSC_DEADLINE", RegisterText.Hex(tscDeadline, 64)));
        if (deadline != ulong.MaxValue) return $"{s_timerModes[mode & 3]}, fires {RegisterText.In(deadline, now)}";
        return isMasked ? "masked" : "not running";
    }

    private static List<int> Vectors(ReadOnlyMemory<byte> bits)
    {
        var vectors = new List<int>();
        for (int i = 0; i < bits.Length * 8; i++)
            if ((bits.Span[i / 8] >> (i & 7) & 1) != 0) vectors.Add(i);
        return vectors;
    }

    private static string Text(List<int> vectors) => vectors.Count == 0 ? "none" : string.Join(", ", vectors.ConvertAll(static vector => $"0x{vector:x2}"));
}
