using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Proof.Tests;

/// <summary>The `ttvm` program as users run it: in a process of its own, in the repository's root.</summary>
internal static class Ttvm
{
    /// <summary>
    /// Switches off everything optional that .NET can use of a host's CPU: what is left is what the oldest x86-64 host has, and System.Private.CoreLib's paths are other ones.
    /// </summary>
    public static IReadOnlyList<string> BareHost { get; } =
    [
        "DOTNET_EnableHWIntrinsic=0", "DOTNET_EnableAVX=0", "DOTNET_EnableAVX2=0", "DOTNET_EnableBMI1=0", "DOTNET_EnableBMI2=0", "DOTNET_EnableSSE3=0",
        "DOTNET_EnableSSSE3=0", "DOTNET_EnableSSE41=0", "DOTNET_EnableSSE42=0", "DOTNET_EnablePOPCNT=0", "DOTNET_EnableLZCNT=0", "DOTNET_EnableAES=0",
        "DOTNET_EnablePCLMULQDQ=0", "DOTNET_EnableFMA=0", "DOTNET_EnableMOVBE=0",
    ];

    // artifacts/bin/Proof.Tests/release -> artifacts/bin/Cli/release
    private static string Program
    {
        get
        {
            var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
            return Path.Combine(here.Parent!.Parent!.FullName, "Cli", here.Name, "ttvm.dll");
        }
    }

    /// <summary>Runs it to its end.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">NAME=VALUE; null: as it is.</param>
    public static ToolResult Run(IEnumerable<string> arguments, IEnumerable<string>? environment = null) =>
        HostTool.Run("env", [.. environment ?? [], "dotnet", Program, .. arguments], TimeSpan.FromMinutes(10));

    /// <summary>Runs it and expects an exit code.</summary>
    public static ToolResult Expect(int exitCode, IEnumerable<string> arguments, IEnumerable<string>? environment = null)
    {
        string[] all = [.. arguments];
        ToolResult result = Run(all, environment);
        Assert.True(result.ExitCode == exitCode, $"ttvm {string.Join(' ', all)}: exit code {result.ExitCode}, not {exitCode}\n{result.Error}");
        return result;
    }

    /// <summary>Starts it without waiting. What it prints is thrown away.</summary>
    public static Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Repository.Root,
        };
        foreach (string argument in (string[])[Program, .. arguments]) start.ArgumentList.Add(argument);
        Process process = Process.Start(start) ?? throw new IOException("Cannot start dotnet.");
        process.StandardInput.Close();
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>The end digest of a recording, as `ttvm info --json` says it.</summary>
    public static string EndDigest(string path)
    {
        using JsonDocument info = JsonDocument.Parse(Expect(0, ["info", path, "--json"]).Output);
        string digest = info.RootElement.GetProperty("end").GetProperty("digest").GetString()!;
        Assert.Equal(64, digest.Length);
        return digest;
    }

    /// <summary>Splits a command line as a shell does, as far as `record` writes them: blanks, and single quotes.</summary>
    public static string[] Split(string commandLine) =>
        [.. commandLine.Split('\'').SelectMany((piece, i) => i % 2 == 0 ? piece.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [piece])];
}
