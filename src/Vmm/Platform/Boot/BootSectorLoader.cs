using System;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform.Firmware;

namespace Vmm.Platform.Boot;

/// <summary>
/// Boots a disk image by its first sector: places the minimal BIOS, which reads that sector to 0:7C00 as any BIOS does and jumps to it in
/// real mode with DL = 80h and the stack at 0:7000.
/// </summary>
internal static class BootSectorLoader
{
    private const int SectorSizeBytes = 512;

    public static void Load(MachineConfiguration configuration, PhysicalMemory memory, ref VcpuState bsp)
    {
        MachineImage disk = configuration.FindImage("disk0") ??
            throw new BootImageException("no disk was given to boot from: name a disk image.");
        ReadOnlySpan<byte> content = disk.Content.Span;
        if (content.Length < SectorSizeBytes)
            throw new BootImageException(
                $"{disk.Name} has {content.Length} bytes and is no disk image: a boot sector alone has 512; give the whole image.");
        if (content[510] != 0x55 || content[511] != 0xAA)
            throw new BootImageException(
                $"{disk.Name} cannot be booted: its first sector does not end in 55 AA; give a raw image of a bootable disk.");

        byte[] bios = MiniBios.Image(memory);
        memory.Write(new GuestPhysicalAddress(PlatformLayout.OneMebibyte - MiniBios.SizeBytes), bios);
        ProcessorEntry.EnterRealMode(ref bsp, MiniBios.Segment, MiniBios.EntryOffset);
    }
}
