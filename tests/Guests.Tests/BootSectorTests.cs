using System;
using System.IO;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Guests.Tests;

/// <summary>Disks that boot by their first sector: through our own BIOS and through SeaBIOS, and in QEMU.</summary>
public sealed class BootSectorTests
{
    /// <summary>What the kernel on the disk prints, with the number of processors that the tables tell.</summary>
    private static string Expected(int processors) =>
        "bootsector: protected mode\nkernel: loaded from disk\n" +
        $"kernel: {processors} processors, I/O APIC 0\nkernel: {processors} processors run\n" +
        "kernel: disk written and read, 2 interrupts\nkernel: every processor's timer ticks\nOK\n";

    private static byte[] Disk() => File.ReadAllBytes(GuestImages.Own("bootsector.img"));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void A_kernel_loads_itself_from_its_disk(int cpuCount)
    {
        using var run = new GuestRun(Configurations.BootSector(Disk(), cpuCount, memoryMiB: 32));
        Outcome outcome = run.End(50);
        Assert.Equal(Expected(cpuCount), run.Console);
        Assert.Equal(0x10u, outcome.Code);
        // INT 10h shows on the screen, and on the debug console too.
        Assert.Contains("bootsector: CHS and LBA agree\n", run.DebugConsole, StringComparison.Ordinal);
        Assert.Contains("e820: 0000000000100000 0000000001F00000 1\n", run.DebugConsole, StringComparison.Ordinal);
    }

    /// <summary>SeaBIOS lists one processor a package in its MP tables, so that it is one here and in QEMU.</summary>
    [Fact]
    public void It_does_so_with_SeaBIOS()
    {
        using var run = new GuestRun(Configurations.SeaBios(Disk(), cpuCount: 2, memoryMiB: 32));
        Outcome outcome = run.End(100);
        Assert.Contains("bootsector: CHS and LBA agree\n", run.Console, StringComparison.Ordinal);
        Assert.Contains("e820: 0000000000000000 000000000009FC00 1\n", run.Console, StringComparison.Ordinal);
        Assert.EndsWith(Expected(1), run.Console, StringComparison.Ordinal);
        Assert.Equal(0x10u, outcome.Code);
    }

    [Fact]
    public void It_does_so_in_QEMU()
    {
        ToolResult result = Qemu.RunDisk(GuestImages.Own("bootsector.img"), memoryMiB: 32, seconds: 60);
        Assert.Equal(Expected(1), result.Output);
        Assert.Equal(Qemu.StatusOf(0x10), result.ExitCode);
    }

    /// <summary>GRUB needs more of a BIOS than a teaching kernel: extended disk reads, the memory map, A20, the mode switches.</summary>
    [Fact]
    public void Our_BIOS_is_enough_for_GRUB()
    {
        byte[] disk = GuestImages.GrubDisk(Configurations.SerialGrub + "multiboot /boot/demo64.elf lock=mcs\nboot\n", GuestImages.Demo64());
        using var run = new GuestRun(Configurations.BootSector(disk, cpuCount: 2));
        run.Until("demo64: 2 cpus", 500);
        Assert.Equal(0x10u, run.End(100).Code);
        Assert.Contains("GRUB loading", run.DebugConsole, StringComparison.Ordinal);
    }
}
