using System;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform.Firmware;

namespace Vmm.Platform.Boot;

/// <summary>Puts a machine's images into its memory and its bootstrap processor at their entry. Memory must be as new: all zero.</summary>
public static class BootLoader
{
    /// <summary>How we introduce ourselves to a Multiboot kernel.</summary>
    public const string Name = "ttvm";

    /// <summary>
    /// Loads what the configuration boots: by its <see cref="MachineConfiguration.Boot"/>, and a kernel by what its file is. Except for a
    /// BIOS, which finds them by itself, the firmware tables are placed below 1 MiB.
    /// </summary>
    /// <param name="configuration">What to boot, and its images.</param>
    /// <param name="memory">As new, with room for a ROM of <see cref="BiosLoader.RomSizeBytes"/>.</param>
    /// <param name="bsp">The bootstrap processor after reset. Registers, segments, control registers and EFER are set; the rest
    /// stays.</param>
    /// <param name="tables">The firmware tables of this machine.</param>
    /// <exception cref="BootImageException">An image is missing, damaged, for another processor or too big; the message is one sentence for
    /// the user.</exception>
    public static void Load(MachineConfiguration configuration, PhysicalMemory memory, ref VcpuState bsp, FirmwareTables tables)
    {
        if (memory.RamSizeBytes < PlatformLayout.OneMebibyte)
            throw new BootImageException($"the machine has {memory.RamSizeBytes >> 10} KiB of memory; a PC needs at least 1 MiB.");
        switch (configuration.Boot)
        {
            case BootKind.Bios:
                BiosLoader.Load(configuration, memory, ref bsp);
                break;
            case BootKind.Kernel:
                tables.Install(memory);
                LoadKernel(configuration, memory, ref bsp, tables);
                break;
            case BootKind.BootSector:
                tables.Install(memory);
                BootSectorLoader.Load(configuration, memory, ref bsp);
                break;
            default:
                throw new BootImageException(
                    $"a machine cannot be booted by method {(int)configuration.Boot}; give a kernel, a disk or a BIOS image.");
        }
    }

    private static void LoadKernel(MachineConfiguration configuration, PhysicalMemory memory, ref VcpuState bsp, FirmwareTables tables)
    {
        MachineImage file = configuration.FindImage("kernel") ??
            throw new BootImageException("no kernel was given, and nothing else to boot: name one.");
        MachineImage? initrdFile = configuration.FindImage("initrd");
        var initrd = new BootImage(initrdFile?.Name ?? "", initrdFile is null ? [] : initrdFile.Content.Span);
        if (initrdFile is not null && initrd.SizeBytes == 0)
            throw new BootImageException($"{initrd.Name} is empty; give an initrd with content, or none.");
        var kernel = new BootImage(file.Name, Compression.Expanded(file, memory.LowSizeBytes));
        if (kernel.SizeBytes == 0) throw new BootImageException($"{kernel.Name} is empty; give a kernel.");
        if (configuration.CommandLine.Contains('\0', StringComparison.Ordinal))
            throw new BootImageException("the kernel's command line contains a zero byte, which would end it there; leave it out.");

        var arena = new BootArena(memory);
        string line = configuration.CommandLine;
        // In QEMU's order: a kernel that follows several protocols is booted alike in both.
        if (LinuxBoot.Recognizes(kernel)) LinuxBoot.Load(kernel, initrd, line, arena, tables, ref bsp);
        else if (MultibootLoader.TryFindHeader(kernel, out int header)) MultibootLoader.Load(kernel, header, initrd, line, arena, ref bsp);
        else if (Multiboot2Header.TryFind(kernel, out header)) Multiboot2Loader.Load(kernel, header, initrd, line, arena, tables, ref bsp);
        else if (ElfImage.Recognizes(kernel)) LoadElf(kernel, initrd, line, arena, tables, ref bsp);
        else throw Unrecognized(kernel);
    }

    private static void LoadElf(BootImage kernel, BootImage initrd, string commandLine, BootArena arena, FirmwareTables tables,
        ref VcpuState bsp)
    {
        ElfImage elf = ElfImage.Read(kernel);
        if (PvhLoader.TryFindEntry(kernel, elf, out uint entry))
            PvhLoader.Load(kernel, elf, entry, initrd, commandLine, arena, tables, ref bsp);
        else if (initrd.SizeBytes > 0)
            throw new BootImageException(
                $"{kernel.Name} follows no boot protocol (Linux, Multiboot, PVH), so {initrd.Name} cannot be handed to it; leave the " +
                "initrd out.");
        else ElfLoader.Load(kernel, elf, arena, ref bsp);
    }

    /// <summary>Says what a file that we cannot boot seems to be.</summary>
    private static BootImageException Unrecognized(BootImage kernel)
    {
        const string wanted = "give a Linux bzImage, a Multiboot kernel or an ELF file for x86";
        if (kernel.SizeBytes > 0x3C && kernel.U32(0x38, "the header") == 0x644D_5241)
            return new BootImageException($"{kernel.Name} is a Linux kernel for AArch64; this machine is an x86: {wanted}.");
        if (kernel.StartsWith("MZ"u8))
            return new BootImageException(
                $"{kernel.Name} is an EFI or Windows program, not a kernel that can be entered directly: {wanted}.");
        if (kernel.SizeBytes is 512 or > 512 && kernel.U16(510, "the boot signature") == 0xAA55)
            return new BootImageException($"{kernel.Name} is a disk image or boot sector, not a kernel: boot it as a disk.");
        if (kernel.SizeBytes < 1024)
            return new BootImageException($"{kernel.Name} has only {kernel.SizeBytes} bytes and is no kernel or cut off: {wanted}.");
        return new BootImageException($"{kernel.Name} is no kernel that this machine knows: {wanted}.");
    }
}
