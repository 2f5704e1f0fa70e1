using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Proof.Tests;

/// <summary>
/// `ttvm.exe`, as it is published for Windows, run by Wine: the translator generates code by that system's calling convention and in its memory, and recordings are the same bytes.
/// </summary>
[Trait("Category", "Slow")]
public sealed class WindowsHostTests(WindowsHost windows) : IClassFixture<WindowsHost>
{
    [Theory]
    [InlineData("translate", "--cpus", "4", "--chaos", "2")]
    [InlineData("interp", "--cpus", "1")]
    public void A_recording_made_on_Windows_is_the_same(string engine, params string[] machine)
    {
        using var folder = new RecordingFolder($"windows-{engine}");
        string[] arguments = ["-q", "--kernel", GuestImages.PrebuiltDemo64, "--memory", "16M", .. machine];
        string here = folder.PathOf("here.ttvm"), there = folder.PathOf("there.ttvm");
        Ttvm.Expect(0, ["record", "-o", here, .. arguments]);
        windows.Expect(0, ["record", "--engine", engine, "-o", there, .. arguments]);
        Assert.Equal(Identity(here), Identity(there));
        Ttvm.Expect(0, ["verify", there]);
        windows.Expect(0, ["verify", "--engine", engine, here]);
        folder.Succeed();
    }

    [Theory]
    [InlineData("demo32.ttvm")]
    [InlineData("demo64-lost-update.ttvm")]
    [InlineData("demo64-host-clock.ttvm")]
    [InlineData("echo.ttvm")]
    public void Goldens_verify_on_Windows(string name) => windows.Expect(0, ["verify", "--engine", "translate", Repository.PathOf($"traces/{name}")]);

    [Fact]
    public void Engines_agree_on_Windows()
    {
        string output = windows.Expect(0, ["lockstep", Repository.PathOf("traces/demo64-lost-update.ttvm"), "--a", "interp", "--b", "translate", "--every", "50000"]).Output;
        Assert.Contains("interp and translate agree", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_are_translated_on_Windows()
    {
        string[] block = ["block", Repository.PathOf("traces/demo64-lost-update.ttvm"), "--at", "50%"];
        string there = windows.Expect(0, block).Output.ReplaceLineEndings("\n"), here = Ttvm.Expect(0, block).Output;
        Assert.Contains("exit", there, StringComparison.Ordinal);
        // Where the code lies is another matter.
        Assert.Equal(here.Split('\n').Length, there.Split('\n').Length);
    }

    private static string Identity(string path) => JsonDocument.Parse(Ttvm.Expect(0, ["info", path, "--json"]).Output).RootElement.GetProperty("identity").GetString()!;
}

/// <summary>The program, published for Windows once for all tests.</summary>
public sealed class WindowsHost : IDisposable
{
    // Wine 8 cannot map the .NET runtime's own code twice.
    private const string RuntimeSwitch = "DOTNET_EnableWriteXorExecute=0";

    private readonly string _program;
    // Not below the repository: Wine has a link to the root of all in it.
    private readonly string _prefix = Directory.CreateTempSubdirectory("ttvm-wine-").FullName;

    public WindowsHost()
    {
        HostTool.Require("wine", "wine64 wine");
        string folder = Repository.PathOf("artifacts/windows"), output = Path.Combine(folder, "ttvm");
        ToolResult published = HostTool.Run("dotnet", ["publish", Repository.PathOf("src/Cli"), "-c", "Release", "-r", "win-x64", "--self-contained", "-p:DebugType=none",
            "-p:GenerateDocumentationFile=false", $"-p:ArtifactsPath={folder}", "-v", "quiet", "-nologo", "-clp:NoSummary", "-o", output], TimeSpan.FromMinutes(10));
        Assert.True(published.ExitCode == 0, published.Output + published.Error);
        _program = Path.Combine(output, "ttvm.exe");
    }

    /// <summary>Runs it and expects an exit code.</summary>
    public ToolResult Expect(int exitCode, IEnumerable<string> arguments)
    {
        string[] all = [.. arguments];
        ToolResult result = HostTool.Run("env", [RuntimeSwitch, "WINEDEBUG=-all", $"WINEPREFIX={_prefix}", "wine", _program, .. all], TimeSpan.FromMinutes(5));
        Assert.True(result.ExitCode == exitCode, $"ttvm.exe {string.Join(' ', all)}: exit code {result.ExitCode}, not {exitCode}\n{result.Output}\n{result.Error}");
        return result;
    }

    public void Dispose() => Directory.Delete(_prefix, recursive: true);
}
