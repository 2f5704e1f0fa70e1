using System;
using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>ATA channels with their drives (ATA/ATAPI-6, T13/1410D, chapter 7).</summary>
internal static class Disks
{
    private static readonly string[] s_transfers = ["none", "PIO in", "PIO out", "DMA in", "DMA out"];

    public static DeviceView DescribeChannel(ChipFields chip)
    {
        ulong control = chip.Number("control"), selected = chip.Number("selected");
        var registers = new List<DeviceRegister> { new("device control", RegisterText.Bits(control, 8, "", "nIEN", "SRST", "", "", "", "", "HOB")), new("selected", $"drive {selected}") };
        int count = 0;
        var active = new List<string>();
        for (int i = 0, places = chip.Count("status"); i < places; i++)
        {
            DeviceRegister drive = Drive(chip, i, active, out bool isThere);
            if (!isThere) continue;
            registers.Add(drive);
            count++;
        }
        string summary = count == 0 ? "no drives" : active.Count > 0 ? string.Join("; ", active) : $"{RegisterText.Plural(count, "drive")}, idle";
        return new DeviceView($"ATA channel {chip.ChipNumber}", summary, registers);
    }

    private static DeviceRegister Drive(ChipFields chip, int number, List<string> active, out bool isThere)
    {
        ulong status = chip.Number("status"), error = chip.Number("error"), features = chip.Number("features"), sectors = chip.Number("sectorCount");
        ulong low = chip.Number("lbaLow"), mid = chip.Number("lbaMid"), high = chip.Number("lbaHigh"), device = chip.Number("device");
        // A drive is ready or busy at any time; where there is none nobody drives the bus.
        isThere = status != 0;
        bool pending = chip.Flag("interruptPending");
        ulong transfer = Math.Min(4, chip.Number("transfer")), next = chip.Number("nextSector"), left = chip.Number("sectorsLeft");
        string busy = transfer == 0 ? "idle" : $"{s_transfers[transfer]}, sector {next}, {left} left";
        if (transfer != 0) active.Add($"drive {number}: {busy}");
        return new DeviceRegister($"Drive {number}", busy,
        [
            new("status", RegisterText.Bits(status, 8, "ERR", "", "", "DRQ", "DSC", "DF", "DRDY", "BSY")),
            new("error", RegisterText.Bits(error, 8, "", "", "ABRT", "", "IDNF", "", "UNC", "ICRC")),
            new("features", RegisterText.Hex(features, 8)), new("sector count", Word(sectors)), new("LBA low", Word(low)), new("LBA mid", Word(mid)), new("LBA high", Word(high)),
            new("device", RegisterText.Bits(device, 8, "", "", "", "", "DEV", "", "LBA")), new("INTRQ", pending ? "pending" : "no"),
            new("geometry", $"{chip.Number("heads")} heads, {chip.Number("sectorsPerTrack")} sectors a track"), new("multiple count", $"{chip.Number("multipleCount")}"),
        ]);
    }

    // The last value and the one before, which 48-bit commands use.
    private static string Word(ulong value) => $"{RegisterText.Hex(value & 0xFF, 8)} (before: {RegisterText.Hex(value >> 8 & 0xFF, 8)})";
}
