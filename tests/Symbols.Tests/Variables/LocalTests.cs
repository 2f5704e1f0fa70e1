using Symbols.Tests.Languages;
using Symbols.Tests.Types;
using Xunit;

namespace Symbols.Tests.Variables;

/// <summary>Variables of every frame at every stop of a real process, against gdb: the same names, the same values, the same ones optimized out.</summary>
public sealed class LocalTests
{
    [Theory]
    [InlineData("locals-O0")]
    [InlineData("locals-O2")]
    [InlineData("locals-O2-dwarf4")]
    [InlineData("locals-O3")]
    public void Values_are_what_gdb_says(string sample)
    {
        FrameComparison comparison = FrameComparison.Of(TypeSamples.Get(sample));
        Assert.True(comparison.Wrong.Count == 0, string.Join('\n', comparison.Wrong));
        Assert.True(comparison.Count > 100, $"only {comparison.Count} values");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {comparison.Count} values, {comparison.OptimizedOut} of them optimized out");
    }
}
