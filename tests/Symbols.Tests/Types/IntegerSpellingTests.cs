using Symbols.Dwarf;
using Symbols.Elf;
using Symbols.Types;
using Xunit;

namespace Symbols.Tests.Types;

/// <summary>Names of C integers as people write them, against those in glibc's debug information.</summary>
public class IntegerSpellingTests
{
    [Theory]
    [InlineData("unsigned long", "long unsigned int")]
    [InlineData("unsigned long int", "long unsigned int")]
    [InlineData("long int unsigned", "long unsigned int")]
    [InlineData("long", "long int")]
    [InlineData("signed", "int")]
    [InlineData("unsigned", "unsigned int")]
    [InlineData("long float", null)]
    [InlineData("long long long", null)]
    [InlineData("signed unsigned", null)]
    public void Any_order_of_the_words_finds_the_base_type(string spelled, string? expected)
    {
        using ElfImage image = ElfImage.Open(Samples.Get("libc"));
        Assert.Equal(expected, (DwarfInfo.Open(image).FindType(spelled, TypeTag.Any) as BaseType)?.Name);
    }
}
