using Symbols.Dwarf.Lines;
using Xunit;

namespace Symbols.Tests;

public sealed class SourcePathTests
{
    [Theory]
    [InlineData("./a/../b/./c.c", "b/c.c")]
    [InlineData("/x//y/../z.c", "/x/z.c")]
    [InlineData("../up.c", "../up.c")]
    [InlineData("/../root.c", "/root.c")]
    [InlineData(@"C:\src\main.c", "C:/src/main.c")]
    public void Paths_are_normalized(string path, string expected) => Assert.Equal(expected, SourcePath.Normalize(path));

    [Theory]
    [InlineData("a/b.c", "/home/x/a/b.c", true)]
    [InlineData("/home/x/a/b.c", "b.c", true)]
    [InlineData("ab.c", "b.c", false)]
    [InlineData("/b.c", "/a/b.c", false)]
    [InlineData("a/b.c", "c/b.c", false)]
    public void Endings_match_at_components(string a, string b, bool expected) => Assert.Equal(expected, SourcePath.Matches(a, b));

    [Theory]
    [InlineData("/dir", "file.c", "/dir/file.c")]
    [InlineData("/dir", "/abs.c", "/abs.c")]
    [InlineData("C:/dir", @"D:\abs.c", @"D:\abs.c")]
    [InlineData("", "x.c", "x.c")]
    public void Paths_are_joined(string directory, string path, string expected) => Assert.Equal(expected, SourcePath.Join(directory, path));
}
