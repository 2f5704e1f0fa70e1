using System;
using System.IO;
using System.Linq;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Every command that README.md shows works as it stands.</summary>
public sealed class ReadmeTests(DemoRecording demo)
{
    private static readonly DocumentedCommands s_readme = new("README.md");

    [Fact]
    public void The_two_commands_are_there()
    {
        Assert.Contains("dotnet run -c Release --project src/Cli -- demo", s_readme.Text, StringComparison.Ordinal);
        Assert.Contains("./test.sh", s_readme.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_block_of_commands_is_tested() =>
        Assert.Equal(["start", "setup", "demo", "debian", "vscode"], s_readme.Names);

    /// <summary>What it builds, Extension.Tests builds in the same way, installs and drives; here is no VS Code to install it into.</summary>
    [Fact]
    public void The_extension_is_built_by_what_its_tests_build_it_with()
    {
        Assert.Equal("vscode-extension/package.sh --install", s_readme.Commands("vscode").Single().Split('#')[0].TrimEnd());
        Assert.Contains("vscode-extension/package.sh", File.ReadAllText(Repository.PathOf("tests/Extension.Tests/VisualStudioCode.cs")), StringComparison.Ordinal);
    }

    [Fact]
    public void Tour_of_the_demo() => s_readme.Run("demo", DocumentedCommands.RootLikeFolder(demo.PathOf("demo-tour")), TimeSpan.FromMinutes(5));

    [Fact]
    [Trait("Category", "Slow")]
    public void Tour_of_a_Debian_kernel()
    {
        GuestImages.LinuxKernel();
        GuestImages.Initramfs();
        s_readme.Run("debian", DocumentedCommands.RootLikeFolder(demo.PathOf("debian-tour")), TimeSpan.FromMinutes(30));
    }
}
