using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Commands that a page shows, and that are run as they stand. Blocks are marked: <c>&lt;!-- test: NAME --&gt;</c> before the fence.</summary>
internal sealed partial class DocumentedCommands(string relativePath)
{
    private static readonly string[] s_linked = ["guests", "artifacts", "traces", "ci"];

    public string Text { get; } = File.ReadAllText(Repository.PathOf(relativePath));

    /// <summary>The marked blocks.</summary>
    public IEnumerable<string> Names => Fence().Matches(Text).Select(static match => match.Groups["name"].Value);

    /// <summary>The commands of a block, without comments.</summary>
    public IEnumerable<string> Commands(string name)
    {
        Match block = Fence().Matches(Text).First(match => match.Groups["name"].Value == name);
        return block.Groups["body"].Value.Split('\n').Where(static line => line.Length > 0 && line[0] != '#');
    }

    /// <summary>Runs a block as one script that ends at the first failure.</summary>
    public void Run(string name, string folder, TimeSpan timeout)
    {
        Match block = Fence().Matches(Text).First(match => match.Groups["name"].Value == name);
        ToolResult result = HostTool.Run("/bin/bash", ["-v", "-e", "-o", "pipefail", "-c", $"PATH={Ttvm.Folder}:$PATH\n{block.Groups["body"].Value}"], timeout, folder);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
    }

    /// <summary>The repository's root as far as input files are concerned; what the commands write goes elsewhere.</summary>
    public static string RootLikeFolder(string path)
    {
        string folder = Directory.CreateDirectory(path).FullName;
        foreach (string linked in s_linked) Directory.CreateSymbolicLink(Path.Combine(folder, linked), Repository.PathOf(linked));
        return folder;
    }

    [GeneratedRegex(@"<!-- test: (?<name>\w+) -->\n```sh\n(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();
}
