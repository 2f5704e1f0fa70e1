using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Every command that README.md shows works as it stands. Blocks are marked: <c>&lt;!-- test: NAME --&gt;</c> before the fence.</summary>
public sealed partial class ReadmeTests(DemoRecording demo)
{
    private static readonly string s_readme = File.ReadAllText(Repository.PathOf("README.md"));

    [Fact]
    public void The_two_commands_are_there()
    {
        Assert.Contains("dotnet run -c Release --project src/Cli -- demo", s_readme, StringComparison.Ordinal);
        Assert.Contains("./test.sh", s_readme, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_block_of_commands_is_tested() =>
        Assert.Equal(["start", "setup", "demo", "debian", "vscode"], [.. Fence().Matches(s_readme).Select(match => match.Groups["name"].Value)]);

    /// <summary>What it builds, Extension.Tests builds in the same way, installs and drives; here is no VS Code to install it into.</summary>
    [Fact]
    public void The_extension_is_built_by_what_its_tests_build_it_with()
    {
        Assert.Equal("vscode-extension/package.sh --install", Commands("vscode").Single().Split('#')[0].TrimEnd());
        Assert.Contains("vscode-extension/package.sh", File.ReadAllText(Repository.PathOf("tests/Extension.Tests/VisualStudioCode.cs")), StringComparison.Ordinal);
    }

    [Fact]
    public void Tour_of_the_demo() => RunBlock("demo", RootLikeFolder("demo-tour"), TimeSpan.FromMinutes(5));

    [Fact]
    [Trait("Category", "Slow")]
    public void Tour_of_a_Debian_kernel()
    {
        GuestImages.LinuxKernel();
        GuestImages.Initramfs();
        RunBlock("debian", RootLikeFolder("debian-tour"), TimeSpan.FromMinutes(30));
    }

    // The repository's root as far as input files are concerned; what the commands write goes elsewhere.
    private string RootLikeFolder(string name)
    {
        string folder = Directory.CreateDirectory(demo.PathOf(name)).FullName;
        foreach (string linked in (string[])["guests", "artifacts"]) Directory.CreateSymbolicLink(Path.Combine(folder, linked), Repository.PathOf(linked));
        return folder;
    }

    private static void RunBlock(string name, string folder, TimeSpan timeout)
    {
        string[] commands = [.. Commands(name)];
        Assert.NotEmpty(commands);
        string script = string.Join('\n', commands.Select(command => $"echo '$ {command.Replace("'", "'\\''", StringComparison.Ordinal)}'\n{command}"));
        ToolResult result = HostTool.Run("/bin/bash", ["-e", "-o", "pipefail", "-c", $"PATH={Ttvm.Folder}:$PATH\n{script}"], timeout, folder);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
    }

    private static IEnumerable<string> Commands(string name)
    {
        Match block = Fence().Matches(s_readme).First(match => match.Groups["name"].Value == name);
        return block.Groups["body"].Value.Split('\n').Where(line => line.Length > 0 && line[0] != '#');
    }

    [GeneratedRegex(@"<!-- test: (?<name>\w+) -->\n```sh\n(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();
}
