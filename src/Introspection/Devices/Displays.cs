using System;
using System.Collections.Generic;

namespace Introspection.Devices;

/// <summary>The registers of a VGA (IBM PS/2 Hardware Interface Technical Reference, "Video subsystem").</summary>
internal static class Displays
{
    public static DeviceView DescribeVga(ChipFields chip)
    {
        ReadOnlyMemory<byte> crtc = chip.Bytes("crtc"), attribute = chip.Bytes("attribute"), sequencer = chip.Bytes("sequencer"), graphics = chip.Bytes("graphics");
        ulong miscellaneous = chip.Number("miscellaneousOutput");
        int start = Word(crtc, 0x0C), cursor = Word(crtc, 0x0E);
        bool isShown = crtc.Length > 0x0A && (crtc.Span[0x0A] & 0x20) == 0;
        return new DeviceView("VGA", $"text mode, screen from 0x{0xB8000 + start * 2:x}, cursor at {cursor - start}{(isShown ? "" : " (hidden)")}",
        [
            new("miscellaneous output", RegisterText.Bits(miscellaneous, 8, "colour", "RAM enabled")), new("start address", RegisterText.Hex((ulong)start, 16)),
            new("cursor location", RegisterText.Hex((ulong)cursor, 16)), Group("CRT controller", chip.Number("crtcIndex"), crtc, 25),
            Group("Attribute controller", chip.Number("attributeIndex"), attribute, 21), Group("Sequencer", chip.Number("sequencerIndex"), sequencer, 5),
            Group("Graphics controller", chip.Number("graphicsIndex"), graphics, 9), new("DAC mask", RegisterText.Hex(chip.Number("pixelMask"), 8)),
        ]);
    }

    private static int Word(ReadOnlyMemory<byte> registers, int at) => registers.Length > at + 1 ? registers.Span[at] << 8 | registers.Span[at + 1] : 0;

    private static DeviceRegister Group(string name, ulong index, ReadOnlyMemory<byte> values, int count)
    {
        var registers = new List<DeviceRegister>();
        for (int i = 0; i < Math.Min(count, values.Length); i++) registers.Add(new DeviceRegister($"{i:X2}H", RegisterText.Hex(values.Span[i], 8)));
        return new DeviceRegister(name, $"index 0x{index:x2}", registers);
    }
}
