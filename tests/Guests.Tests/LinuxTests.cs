using System;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using TestKit;
using Vmm.Memory;
using Vmm.Platform;
using Xunit;

namespace Guests.Tests;

/// <summary>Debian's kernels, unmodified, on our machine: to the end of their workload and power-off, without one warning of the kernel.</summary>
[Trait("Category", "Slow")]
public sealed class LinuxTests
{
    private const int Mebibyte = 1 << 20;

    [Theory]
    [InlineData("linux-cloud-amd64", 1, 96)]
    [InlineData("linux-cloud-amd64", 2, 256)]
    [InlineData("linux-cloud-amd64", 8, 4096)]
    public void It_runs_its_workload_and_powers_off(string kernel, int cpuCount, int memoryMiB)
    {
        using var run = new GuestRun(Configurations.Kernel(GuestImages.Debian($"{kernel}/vmlinuz"), "console=ttyS0", cpuCount, memoryMiB,
            GuestImages.Initramfs()));
        FinishWorkload(run, cpuCount, 5_000);
        Assert.Equal(OutcomeKind.PowerOff, run.End(200).Kind);
        Assert.Contains("reboot: Power down", run.Console, StringComparison.Ordinal);
        Assert.DoesNotContain("Call Trace", run.Console, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linux-amd64", DiskInterface.Ata, 1, "")]
    [InlineData("linux-amd64", DiskInterface.Virtio, 2, "")]
    [InlineData("linux-cloud-amd64", DiskInterface.Virtio, 1, "noapic")]
    [InlineData("linux-cloud-amd64", DiskInterface.Virtio, 2, "pci=nomsi")]
    [InlineData("linux-cloud-amd64", DiskInterface.Ata, 2, "nosmp")]
    [InlineData("linux-cloud-amd64", DiskInterface.Ata, 1, "nolapic")]
    public void Its_drivers_find_disk_and_random_numbers(string kernel, DiskInterface diskInterface, int cpuCount, string option)
    {
        byte[] disk = new byte[4 * Mebibyte];
        for (int i = 0; i < disk.Length; i++) disk[i] = (byte)(i * 7 + (i >> 9));
        MachineConfiguration machine = Configurations.Kernel(GuestImages.Debian($"{kernel}/vmlinuz"), $"console=ttyS0 {option}", cpuCount,
            initrd: GuestImages.InitramfsWithDrivers(kernel));
        using var run = new GuestRun(machine with
        {
            DiskInterface = diskInterface,
            Images = [.. machine.Images, new MachineImage("disk0", "disk.img", disk)],
        });
        FinishWorkload(run, option == "nosmp" ? 1 : cpuCount, 12_000);
        Assert.Equal(OutcomeKind.PowerOff, run.End(200).Kind);

        string device = diskInterface == DiskInterface.Virtio ? "/dev/vda" : "/dev/sda";
        byte[] written = CountedLines(Mebibyte);
        Assert.Contains($"{device} has {Hash(disk.AsSpan(0, Mebibyte))}", run.Console, StringComparison.Ordinal);
        Assert.Contains($"{device} got {Hash(written)}", run.Console, StringComparison.Ordinal);
        PagedMemory pages = run.Machine.PagedMemories[1];
        byte[] after = new byte[disk.Length];
        pages.Read(0, after);
        Assert.True(after.AsSpan(0, Mebibyte).SequenceEqual(disk.AsSpan(0, Mebibyte)), "the first MiB has changed");
        Assert.True(after.AsSpan(Mebibyte, Mebibyte).SequenceEqual(written), "the second MiB is not what was written");
        Assert.True(after.AsSpan(2 * Mebibyte).SequenceEqual(disk.AsSpan(2 * Mebibyte)), "what follows has changed");
        Assert.Matches("virtio_rng.0: [0-9a-f]{32}\n", run.Console);
        Assert.DoesNotContain("unknown symbol", run.Console, StringComparison.OrdinalIgnoreCase);
        // Without a local APIC Linux warns of its own MSI code, in QEMU too.
        if (option != "nolapic") Assert.DoesNotContain("Call Trace", run.Console, StringComparison.Ordinal);
    }

    /// <summary>Without ACPI the generic kernel finds its processors in the MP tables.</summary>
    [Fact]
    public void It_reads_the_MP_tables()
    {
        using var run = new GuestRun(Configurations.Kernel(GuestImages.LinuxKernel(), "console=ttyS0 acpi=off", cpuCount: 2,
            initrd: GuestImages.Initramfs()));
        run.Until("MPTABLE: OEM ID: TTVM", 8_000);
        run.Until("smpboot: Total of 2 processors activated", 1_000);
    }

    private static void FinishWorkload(GuestRun run, int cpuCount, ulong instructions)
    {
        run.Until("ttvm: init reached", instructions);
        run.Until("ttvm: workload done", instructions);
        Assert.Contains("5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee  /tmp/zero", run.Console, StringComparison.Ordinal);
        Assert.Contains("gzip: the same", run.Console, StringComparison.Ordinal);
        Assert.Contains("pi is about 3.141093", run.Console, StringComparison.Ordinal);
        Assert.Contains("forked 20 times", run.Console, StringComparison.Ordinal);
        Assert.Equal(cpuCount, run.Console.Split('\n').Count(line => line.StartsWith("processor\t:", StringComparison.Ordinal)));
    }

    /// <summary>What <c>seq 1 200000</c> prints, cut.</summary>
    private static byte[] CountedLines(int sizeBytes)
    {
        var text = new StringBuilder();
        for (int i = 1; text.Length < sizeBytes; i++) text.Append(i).Append('\n');
        return Encoding.ASCII.GetBytes(text.ToString(0, sizeBytes));
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
