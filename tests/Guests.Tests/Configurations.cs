using System.IO;
using TestKit;
using Vmm.Platform;

namespace Guests.Tests;

/// <summary>The machines that these tests boot.</summary>
internal static class Configurations
{
    /// <summary>GRUB's first lines in every configuration: it talks to the first serial port.</summary>
    public const string SerialGrub = "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n";

    /// <summary>A kernel with what it is given.</summary>
    public static MachineConfiguration Kernel(string kernel, string commandLine = "", int cpuCount = 1, int memoryMiB = 256, string? initrd = null) =>
        new()
        {
            CpuCount = cpuCount,
            MemorySizeBytes = (ulong)memoryMiB << 20,
            CommandLine = commandLine,
            Images = initrd is null ? [Image("kernel", kernel)] : [Image("kernel", kernel), Image("initrd", initrd)],
        };

    /// <summary>A disk whose boot sector our own BIOS starts.</summary>
    public static MachineConfiguration BootSector(byte[] disk, int cpuCount = 1, int memoryMiB = 256) => new()
    {
        Boot = BootKind.BootSector,
        CpuCount = cpuCount,
        MemorySizeBytes = (ulong)memoryMiB << 20,
        Images = [new MachineImage("disk0", "disk.img", disk)],
    };

    /// <summary>Debian's SeaBIOS, with a disk or without one.</summary>
    public static MachineConfiguration SeaBios(byte[]? disk, int cpuCount = 1, int memoryMiB = 256) => new()
    {
        Boot = BootKind.Bios,
        CpuCount = cpuCount,
        MemorySizeBytes = (ulong)memoryMiB << 20,
        Images = disk is null
            ? [Image("bios", GuestImages.SeaBios())]
            : [Image("bios", GuestImages.SeaBios()), new MachineImage("disk0", "disk.img", disk)],
    };

    public static MachineImage Image(string role, string path) => new(role, Path.GetFileName(path), File.ReadAllBytes(path));
}
