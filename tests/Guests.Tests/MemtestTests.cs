using System;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Guests.Tests;

/// <summary>memtest86+: the Linux boot protocol's oldest form, every addressing pattern, and its own opinion on our memory.</summary>
[Trait("Category", "Slow")]
public sealed partial class MemtestTests
{
    [Theory]
    [InlineData("memtest86+x64.bin", 1)]
    [InlineData("memtest86+x64.bin", 2)]
    [InlineData("memtest86+ia32.bin", 1)]
    public void It_finds_no_error(string file, int cpuCount)
    {
        using var run = new GuestRun(Configurations.Kernel(GuestImages.Debian($"memtest86+/{file}"), "console=ttyS0,115200", cpuCount, memoryMiB: 8));
        run.Until("Memtest86+ v", 1_000);
        run.Until("#0  [Address test, walking ones", 1_000);
        // It shows a test's number when it gets around to it, so that short ones are not seen.
        for (int i = 0; i < 20 && !LaterTest().IsMatch(run.Console); i++) run.Until("Errors: ", 3_000);
        Assert.Matches(LaterTest(), run.Console);
        run.Until("Errors: ", 3_000);
        string[] counts = [.. ErrorCount().Matches(run.Console).Select(match => match.Groups[1].Value).Distinct()];
        Assert.Equal(["0"], counts);
        Assert.Contains(cpuCount == 1 ? "SMP: Disabled" : $"SMP: {cpuCount}T", run.Console, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"#[1-9] +\[")]
    private static partial Regex LaterTest();

    [GeneratedRegex(@"Errors: (\d+)")]
    private static partial Regex ErrorCount();
}
