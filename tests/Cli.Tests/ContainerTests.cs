using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>ci/Containerfile, without containers: its steps name what is there, and building with only what it copies gives a program that works.</summary>
public sealed class ContainerTests(DemoRecording demo)
{
    private static readonly string[][] s_steps = [.. File.ReadAllLines(Repository.PathOf("ci/Containerfile"))
        .Where(static line => line.Length > 0 && line[0] != '#').Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private static IEnumerable<string[]> Copies => s_steps.Where(static step => step[0] == "COPY" && !step[1].StartsWith("--", StringComparison.Ordinal));

    [Fact]
    public void Its_steps_name_what_is_there()
    {
        Assert.All(s_steps, static step => Assert.Contains(step[0], (string[])["FROM", "WORKDIR", "COPY", "RUN", "ENV", "ENTRYPOINT"]));
        foreach (string source in Copies.SelectMany(static step => step[1..^1]))
            Assert.True(Path.Exists(Repository.PathOf(source)), $"COPY {source}: there is no such file");
        // The images' version is the one that everything is built for.
        string[] images = [.. s_steps.Where(static step => step[0] == "FROM").Select(static step => step[1])];
        Assert.Equal(["mcr.microsoft.com/dotnet/sdk:10.0", "mcr.microsoft.com/dotnet/runtime:10.0"], images);
        Assert.Contains("<TargetFramework>net10.0</TargetFramework>", File.ReadAllText(Repository.PathOf("Directory.Build.props")), StringComparison.Ordinal);
        // The second stage takes what the first has built, and starts it.
        string output = s_steps.Single(static step => step[0] == "RUN")[^1], copied = s_steps.Single(static step => step[1] == "--from=build")[2];
        Assert.Equal("/opt/ttvm", output);
        Assert.Equal(output, copied);
        Assert.Equal($"[\"{output}/ttvm\"]", s_steps[^1][1]);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void What_it_copies_is_enough_to_build()
    {
        string folder = Directory.CreateDirectory(demo.PathOf("container")).FullName, output = Path.Combine(folder, "opt/ttvm");
        string first = string.Join('\n', Copies.Where(static step => step[^1] != "/opt/ttvm/ci/")
            .SelectMany(static step => step[1..^1]).Select(static source => $"cp -r --parents {source} \"$FOLDER\""));
        string[] run = s_steps.Single(static step => step[0] == "RUN");
        // Build results lie beside the sources only in the first place.
        string script = $"set -e\n{first}\ncd \"$FOLDER\"\n{string.Join(' ', run[1..^1])} {output} -v quiet -nologo";
        ToolResult built = HostTool.Run("env", [$"FOLDER={folder}", "/bin/bash", "-c", script], TimeSpan.FromMinutes(15));
        Assert.True(built.ExitCode == 0, built.Output + built.Error);
        // In the container there is nothing else.
        ToolResult verified = HostTool.Run(Path.Combine(output, "ttvm"), ["verify", Repository.PathOf("traces")], TimeSpan.FromMinutes(2), "/");
        Assert.True(verified.ExitCode == 0, verified.Output + verified.Error);
    }
}
