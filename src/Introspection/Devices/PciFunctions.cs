using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>PCI functions (PCI Local Bus 3.0, chapter 6), and what is behind those of virtio 1.2.</summary>
internal static class PciFunctions
{
    private static readonly string[] s_virtioTypes = ["", "network card", "disk", "console", "entropy source", "balloon"];

    public static DeviceView Describe(ChipFields chip)
    {
        ReadOnlySpan<byte> config = chip.Bytes("config").Span;
        if (config.Length < 64) return new DeviceView(chip.ChipName, "", []);
        uint vendor = Word(config, 0), device = Word(config, 2), command = Word(config, 4), status = Word(config, 6);
        uint classCode = (uint)(config[11] << 16 | config[10] << 8 | config[9]);
        var bars = new List<DeviceRegister>();
        for (int i = 0; i < 6; i++)
        {
            uint value = BinaryPrimitives.ReadUInt32LittleEndian(config[(0x10 + 4 * i)..]);
            if (value != 0) bars.Add(new DeviceRegister($"BAR{i}", (value & 1) != 0 ? $"ports 0x{value & ~3u:x}" : $"memory 0x{value & ~15u:x}"));
        }
        bool asserted = chip.Flag("interruptAsserted");
        var registers = new List<DeviceRegister>
        {
            new("ID", $"{vendor:x4}:{device:x4}"), new("class", $"{classCode:x6}: {ClassName(classCode)}"),
            new("command", RegisterText.Bits(command, 16, "I/O", "memory", "bus master", "special cycles", "", "", "parity", "", "SERR#", "", "INTx disabled")),
            new("status", RegisterText.Bits(status, 16, "", "", "", "interrupt", "capabilities")), new("BARs", RegisterText.Plural(bars.Count, "region"), bars),
            new("interrupt", config[0x3D] == 0 ? "no pin" : $"INT{(char)('A' + config[0x3D] - 1)}#, line {config[0x3C]}, {(asserted ? "asserted" : "not asserted")}"),
        };
        if (chip.Count("msixTable") > 0)
        {
            bool isEnabled = chip.Flag("msixEnabled"), isMasked = chip.Flag("msixMasked");
            registers.Add(new DeviceRegister("MSI-X", $"{(isEnabled ? "enabled" : "disabled")}{(isMasked ? ", function masked" : "")}, {chip.Bytes("msixTable").Length / 16} vectors"));
        }
        string summary = ClassName(classCode);
        if (vendor == 0x1AF4) summary = AddVirtio(chip, device, registers);
        else if (chip.Count("table") > 0) registers.Add(new DeviceRegister("bus master", Text.Hexadecimal.Bytes(chip.Bytes("statuses").Span)));
        return new DeviceView($"PCI {chip.ChipName}", $"{vendor:x4}:{device:x4}, {summary}", registers);
    }

    private static string AddVirtio(ChipFields chip, uint device, List<DeviceRegister> registers)
    {
        int type = (int)device - 0x1040;
        string name = type > 0 && type < s_virtioTypes.Length ? s_virtioTypes[type] : $"type {type}";
        ulong features = chip.Number("driverFeatures"), status = chip.Number("status"), isr = chip.Number("isr");
        registers.Add(new DeviceRegister("device_status", RegisterText.Bits(status, 8, "ACKNOWLEDGE", "DRIVER", "DRIVER_OK", "FEATURES_OK", "", "", "DEVICE_NEEDS_RESET", "FAILED")));
        registers.Add(new DeviceRegister("driver_feature", RegisterText.Hex(features, 64)));
        registers.Add(new DeviceRegister("ISR status", RegisterText.Bits(isr, 8, "queue", "configuration")));
        int queues = chip.Count("availableRing"), inUse = 0;
        for (int i = 0; i < queues; i++)
        {
            ulong size = chip.Number("size"), vector = chip.Number("vector");
            ulong table = chip.Number("descriptorTable"), available = chip.Number("availableRing"), used = chip.Number("usedRing");
            bool isEnabled = chip.Flag("enabled"), isBroken = chip.Flag("broken");
            ulong nextAvailable = chip.Number("nextAvailable"), nextUsed = chip.Number("nextUsed");
            if (isEnabled) inUse++;
            registers.Add(new DeviceRegister($"queue {i}", isBroken ? "broken" : isEnabled ? $"{size} entries, {nextAvailable} taken, {nextUsed} used" : "disabled",
            [
                new("queue_size", $"{size}"), new("queue_desc", RegisterText.Hex(table, 64)), new("queue_driver", RegisterText.Hex(available, 64)),
                new("queue_device", RegisterText.Hex(used, 64)), new("queue_msix_vector", vector == 0xFFFF ? "none" : $"{vector}"),
            ]));
        }
        return $"virtio {name}, {((status & 4) != 0 ? "driver running" : "no driver")}, {inUse} of {queues} queues enabled";
    }

    private static uint Word(ReadOnlySpan<byte> config, int at) => BinaryPrimitives.ReadUInt16LittleEndian(config[at..]);

    private static string ClassName(uint classCode) => (classCode >> 8) switch
    {
        0x0101 => "IDE controller",
        0x0100 => "SCSI controller",
        0x0180 => "mass storage controller",
        0x0500 => "memory controller",
        0x0600 => "host bridge",
        0x0601 => "ISA bridge",
        0x0680 => "bridge",
        0x0780 => "communication controller",
        0x00FF => "unclassified device",
        _ => $"class 0x{classCode:x6}",
    };
}
