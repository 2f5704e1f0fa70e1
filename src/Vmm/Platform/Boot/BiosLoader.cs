using System;
using Vmm.Cpu;
using Vmm.Memory;

namespace Vmm.Platform.Boot;

/// <summary>
/// Starts a ROM image as a PC does: the ROM ends at 4 GiB, where the reset vector is, and its last 128 KiB show below 1 MiB too. That copy
/// is RAM, which is what a BIOS makes of it anyway before it patches itself.
/// </summary>
public static class BiosLoader
{
    private const int MinimumSizeBytes = 64 << 10, MaximumSizeBytes = 1 << 20, ShadowSizeBytes = 128 << 10;

    /// <summary>
    /// The ROM size that <see cref="PhysicalMemory"/> must be built with, or 0 when this configuration has no BIOS image.
    /// </summary>
    /// <exception cref="BootImageException">The image is missing or has an impossible size.</exception>
    public static int RomSizeBytes(MachineConfiguration configuration) =>
        configuration.Boot == BootKind.Bios ? Image(configuration).Content.Length : 0;

    internal static void Load(MachineConfiguration configuration, PhysicalMemory memory, ref VcpuState bsp)
    {
        ReadOnlySpan<byte> rom = Image(configuration).Content.Span;
        Invariant.Check((ulong)memory.Ram.SizeBytes == memory.RamSizeBytes + (ulong)rom.Length);
        // Behind the RAM pages, and past the ROM's write protection.
        memory.Ram.Write((long)memory.RamSizeBytes, rom);
        ReadOnlySpan<byte> shadow = rom[^Math.Min(rom.Length, ShadowSizeBytes)..];
        memory.Write(new GuestPhysicalAddress(PlatformLayout.OneMebibyte - (ulong)shadow.Length), shadow);
        ProcessorEntry.EnterResetVector(ref bsp);
    }

    private static MachineImage Image(MachineConfiguration configuration)
    {
        MachineImage image = configuration.FindImage("bios")
            ?? throw new BootImageException(
                "no BIOS image was given: a machine that starts from its reset vector needs one (for example Debian's " +
                "/usr/share/seabios/bios.bin).");
        int size = image.Content.Length;
        if (size is < MinimumSizeBytes or > MaximumSizeBytes || size % MinimumSizeBytes != 0)
            throw new BootImageException(
                $"{image.Name} has {size} bytes and is no BIOS image: a ROM has a multiple of 64 KiB, from 64 KiB to 1 MiB; give the " +
                "whole image.");
        return image;
    }
}
