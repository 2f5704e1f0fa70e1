using System;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Guests.Tests;

/// <summary>Debian's SeaBIOS and GRUB, unmodified, from the reset vector to the kernel's last line.</summary>
public sealed partial class SeaBiosTests
{
    [Fact]
    public void Without_a_disk_it_says_so()
    {
        using var run = new GuestRun(Configurations.SeaBios(disk: null, memoryMiB: 64));
        run.Until("SeaBIOS (version ", 50);
        run.Until("No bootable device", 5_000);
    }

    [Theory]
    [InlineData(DiskInterface.Ata, 1)]
    [InlineData(DiskInterface.Virtio, 2)]
    public void GRUB_starts_a_multiboot_kernel(DiskInterface diskInterface, int cpuCount)
    {
        byte[] disk = GuestImages.GrubDisk(Configurations.SerialGrub + "multiboot /boot/demo64.elf lock=mcs\nboot\n", GuestImages.Demo64());
        using var run = new GuestRun(Configurations.SeaBios(disk, cpuCount) with { DiskInterface = diskInterface });
        run.Until("GRUB loading", 100);
        run.Until($"demo64: {cpuCount} cpus", 500);
        Assert.Equal(0x10u, run.End(100).Code);
        Assert.EndsWith("\nOK\n", run.Console, StringComparison.Ordinal);
    }

    /// <summary>Somebody types at GRUB's prompt: the serial port in both directions, interrupts off and polled.</summary>
    [Fact]
    public void GRUB_can_be_talked_to()
    {
        using var run = new GuestRun(Configurations.SeaBios(GuestImages.GrubDisk(Configurations.SerialGrub, GuestImages.Demo32())));
        run.Until("grub> ", 500);
        run.Send("ls (hd0,msdos1)/boot/\r");
        run.Until("demo32.elf", 500);
        run.Until("grub> ", 500);
        run.Send("lsmmap\r");
        run.Until("base_addr = 0x100000, length = 0xfefe000, available RAM", 500);
        run.Until("grub> ", 500);
        run.Send("multiboot /boot/demo32.elf\r");
        run.Until("grub> ", 500);
        run.Send("boot\r");
        Assert.Equal(0x10u, run.End(500).Code);
        Assert.EndsWith("primes below 20000: 2262\nOK\n", run.Console, StringComparison.Ordinal);
    }

    /// <summary>GRUB reads the DSDT for the way to switch off. Memory above 4 GiB is told by the BIOS from the RTC's memory.</summary>
    [Theory]
    [InlineData(BootKind.Bios, "halt", OutcomeKind.PowerOff)]
    [InlineData(BootKind.Bios, "reboot", OutcomeKind.Reset)]
    [InlineData(BootKind.BootSector, "halt", OutcomeKind.PowerOff)]
    public void GRUB_ends_the_machine(BootKind boot, string command, OutcomeKind outcome)
    {
        byte[] disk = GuestImages.GrubDisk(Configurations.SerialGrub + "lsmmap\n");
        MachineConfiguration machine = boot == BootKind.Bios
            ? Configurations.SeaBios(disk, memoryMiB: 5120)
            : Configurations.BootSector(disk, memoryMiB: 5120);
        using var run = new GuestRun(machine);
        run.Until("base_addr = 0x100000000, length = 0x80000000, available RAM", 500);
        run.Until("grub> ", 500);
        run.Send(command + "\r");
        Assert.Equal(outcome, run.End(500).Kind);
    }

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(BootKind.Bios, 2)]
    [InlineData(BootKind.BootSector, 1)]
    public void GRUB_starts_Linux(BootKind boot, int cpuCount)
    {
        const string commands = "linux /boot/vmlinuz console=ttyS0\ninitrd /boot/initramfs.cpio.gz\nboot\n";
        byte[] disk = GuestImages.GrubDisk(Configurations.SerialGrub + commands, GuestImages.LinuxCloudKernel(), GuestImages.Initramfs());
        MachineConfiguration machine = boot == BootKind.Bios ? Configurations.SeaBios(disk, cpuCount) : Configurations.BootSector(disk, cpuCount);
        using var run = new GuestRun(machine);
        run.Until($"smpboot: Total of {cpuCount} processors activated", 4_000);
        run.Until("ttvm: workload done", 4_000);
        Assert.Equal(OutcomeKind.PowerOff, run.End(200).Kind);
        Assert.DoesNotContain("Call Trace", run.Console, StringComparison.Ordinal);
    }

    /// <summary>
    /// Debian's GNU Mach is an ELF64 file, which QEMU's own loader refuses and GRUB takes. It ends as it does in QEMU: without a module in the
    /// panic that there is none, with one in an assertion of its own (with any program, on any machine).
    /// </summary>
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(false, "No bootstrap code loaded with the kernel!")]
    [InlineData(true, "Debugger invoked, but there isn't one!")]
    public void GNU_Mach_says_what_it_says_in_QEMU(bool withModule, string last)
    {
        string configuration = Configurations.SerialGrub + "multiboot /boot/gnumach console=com0\n" +
            (withModule ? "module /boot/busybox busybox\n" : "") + "boot\n";
        byte[] disk = GuestImages.GrubDisk(configuration, GuestImages.GnuMach(), GuestImages.Debian("busybox/busybox"));
        using var run = new GuestRun(Configurations.SeaBios(disk, memoryMiB: 128));
        run.Until(last, 500);

        string path = Path.Combine(Repository.FailureFolder($"gnumach-{withModule}"), "disk.img");
        File.WriteAllBytes(path, disk);
        ToolResult qemu = Qemu.RunDisk(path, memoryMiB: 128, seconds: 12);
        File.Delete(path);
        Assert.Equal(MachLines(qemu.Output), MachLines(run.Console));
    }

    /// <summary>The kernel's lines once each, numbers and addresses blanked: memory maps differ in what the firmware keeps for itself.</summary>
    private static string[] MachLines(string console)
    {
        int start = console.IndexOf("GNU Mach", StringComparison.Ordinal);
        Assert.True(start >= 0, console);
        return [.. console[start..].Split('\n').Where(line => line.Length > 0).Select(line => Number().Replace(line, "N")).Distinct()];
    }

    [GeneratedRegex("[0-9][0-9a-f]*")]
    private static partial Regex Number();
}
