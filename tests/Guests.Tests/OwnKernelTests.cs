using System;
using System.Linq;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Guests.Tests;

/// <summary>Our own guests on our own machine.</summary>
public sealed class OwnKernelTests
{
    [Theory]
    [InlineData("conformance32.elf", 118)]
    [InlineData("conformance64.elf", 280)]
    public void Conformance_kernels_find_nothing_wrong(string kernel, int leastPassed)
    {
        using var run = new GuestRun(Configurations.Kernel(GuestImages.Own(kernel), memoryMiB: 64));
        Outcome outcome = run.End(200);
        string[] lines = run.Console.Split('\n');
        string[] failed = [.. lines.Where(line => line.StartsWith("FAIL ", StringComparison.Ordinal))];
        Assert.True(failed.Length == 0, string.Join('\n', failed));
        Assert.Equal((OutcomeKind.DebugExit, 0x10u), (outcome.Kind, outcome.Code));
        int passed = lines.Count(line => line.StartsWith("PASS ", StringComparison.Ordinal));
        Assert.True(passed >= leastPassed, $"only {passed} checks passed; {leastPassed} are known to");
    }

    [Fact]
    public void Demo32_ends_well()
    {
        using var run = new GuestRun(Configurations.Kernel(GuestImages.Demo32(), memoryMiB: 64));
        Assert.Equal(0x10u, run.End(200).Code);
        Assert.Contains("hello from ring 3\n", run.Console, StringComparison.Ordinal);
        Assert.EndsWith("primes below 20000: 2262\nOK\n", run.Console, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "broken")]
    [InlineData(2, "mcs")]
    [InlineData(4, "xchg")]
    [InlineData(8, "mcs")]
    public void Demo64_loses_nothing_with_a_right_lock(int cpuCount, string lockName)
    {
        using var run = new GuestRun(Configurations.Kernel(GuestImages.Demo64(), $"lock={lockName}", cpuCount, memoryMiB: 64));
        Assert.Equal(0x10u, run.End(200).Code);
        Assert.Contains($"demo64: {cpuCount} cpus", run.Console, StringComparison.Ordinal);
        Assert.EndsWith("\nOK\n", run.Console, StringComparison.Ordinal);
    }
}
