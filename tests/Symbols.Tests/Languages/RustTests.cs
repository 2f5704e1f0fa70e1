using System;
using Xunit;

namespace Symbols.Tests.Languages;

/// <summary>A Rust program by the real compiler, against gdb.</summary>
public sealed class RustTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Variables_and_names_are_gdbs(int optimization)
    {
        FrameComparison comparison = FrameComparison.Of(RustSamples.Get(optimization), Known);
        Assert.True(comparison.Wrong.Count == 0, string.Join('\n', comparison.Wrong));
        Assert.True(comparison.Count > 300, $"only {comparison.Count} values");
        TestContext.Current.TestOutputHelper?.WriteLine($"level {optimization}: {comparison.Count} values, {comparison.OptimizedOut} of them optimized out");
    }

    // gdb looks for the discriminant of an enum that is optimized out, or a constant, at address 0.
    private static string? Known(string value)
    {
        int end = value.IndexOf("=error Cannot access memory at address 0x0", StringComparison.Ordinal);
        if (end >= 0) return value[..end] + "=optimized";
        return value == "no_reference.Some.__0=0000000000000000" ? null : value;
    }
}
