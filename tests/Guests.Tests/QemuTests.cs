using System;
using System.IO;
using System.Linq;
using TestKit;
using Xunit;

namespace Guests.Tests;

/// <summary>Every guest does in QEMU what it says, so that whatever it does otherwise in our machine is ours to explain.</summary>
public sealed class QemuTests
{
    [Theory]
    [InlineData(1, "broken")] // the kernel is not preempted, so one CPU loses nothing
    [InlineData(1, "mcs")]
    [InlineData(2, "mcs")]
    [InlineData(4, "xchg")]
    [InlineData(8, "mcs")]
    public void Demo64_loses_nothing_with_a_right_lock(int cpuCount, string lockName)
    {
        ToolResult result = Qemu.Run(GuestImages.Demo64(), cpuCount, $"lock={lockName}");
        Assert.Contains($"demo64: {cpuCount} cpus", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("\nOK\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(Qemu.StatusOf(0x10), result.ExitCode);
    }

    /// <summary>QEMU's CPUs run in parallel, so that it may or may not happen; the output and the status agree in either case.</summary>
    [Fact]
    public void Demo64_tells_what_happened_with_the_broken_lock()
    {
        ToolResult result = Qemu.Run(GuestImages.PrebuiltDemo64, cpuCount: 2, "rounds=1000");
        bool lost = result.Output.Contains("\nBUG: lost update: expected ", StringComparison.Ordinal);
        Assert.Equal(Qemu.StatusOf(lost ? 0x11 : 0x10), result.ExitCode);
        Assert.NotEqual(lost, result.Output.EndsWith("\nOK\n", StringComparison.Ordinal));
    }

    [Fact]
    public void Demo32_ends_well()
    {
        ToolResult result = Qemu.Run(GuestImages.Demo32());
        Assert.Contains("hello from ring 3\n", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("primes below 20000: 2262\nOK\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(Qemu.StatusOf(0x10), result.ExitCode);
    }

    [Theory]
    [InlineData("conformance32.elf", "max", 98)]
    [InlineData("conformance64.elf", "max", 235)]
    [InlineData("conformance64.elf", "max,vendor=GenuineIntel", 240)] // SYSENTER in long mode is Intel's
    public void Conformance_kernels_agree_with_qemu(string fileName, string cpu, int leastPassed)
    {
        ToolResult result = Qemu.Run(GuestImages.Own(fileName), cpu: cpu);
        string[] lines = result.Output.Split('\n');
        string[] differences = [.. File.ReadLines(Repository.PathOf("guests/conformance/qemu-differences.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')];
        string[] unexpected = [.. lines.Where(line => line.StartsWith("FAIL ", StringComparison.Ordinal))
            .Where(line => !differences.Contains(line["FAIL ".Length..]))];
        Assert.True(unexpected.Length == 0, string.Join('\n', unexpected));
        Assert.Contains(lines, line => line.Contains(" passed, ", StringComparison.Ordinal));
        int passed = lines.Count(line => line.StartsWith("PASS ", StringComparison.Ordinal));
        Assert.True(passed >= leastPassed, $"only {passed} checks passed; {leastPassed} are known to");
    }

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("linux-amd64/vmlinuz", 1)]
    [InlineData("linux-amd64/vmlinuz", 2)]
    [InlineData("linux-cloud-amd64/vmlinuz", 1)]
    [InlineData("linux-cloud-amd64/vmlinuz", 2)]
    public void Linux_runs_its_workload_and_powers_off(string kernel, int cpuCount)
    {
        ToolResult result = Qemu.Run(GuestImages.Debian(kernel), cpuCount, "console=ttyS0", initrd: GuestImages.Initramfs(), seconds: 300);
        Assert.Contains("ttvm: init reached", result.Output, StringComparison.Ordinal);
        Assert.Contains("5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee  /tmp/zero", result.Output, StringComparison.Ordinal);
        Assert.Contains("gzip: the same", result.Output, StringComparison.Ordinal);
        Assert.Contains("pi is about 3.141093", result.Output, StringComparison.Ordinal);
        Assert.Contains("ttvm: workload done", result.Output, StringComparison.Ordinal);
        Assert.Contains("reboot: Power down", result.Output, StringComparison.Ordinal);
        Assert.Equal(cpuCount, result.Output.Split('\n').Count(line => line.StartsWith("processor\t:", StringComparison.Ordinal)));
        Assert.Equal(0, result.ExitCode);
    }
}
