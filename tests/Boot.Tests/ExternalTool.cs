using System;
using System.Diagnostics;
using System.IO;
using Xunit;

namespace Boot.Tests;

/// <summary>
/// Real tools and files that tests use; missing ones are skips with a reason on a developer's machine and failures in CI.
/// </summary>
internal static class ExternalTool
{
    private static bool IsContinuousIntegration => Environment.GetEnvironmentVariable("CI") is "true" or "1";

    public static (int ExitCode, string Output) Run(string directory, string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool)
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    /// <summary>Skips the test, or fails it in CI, unless <paramref name="tool"/> is on the path.</summary>
    public static void Require(string tool, string package)
    {
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            if (File.Exists(Path.Combine(directory, tool))) return;
        Missing($"{tool} is not installed: apt-get install {package}");
    }

    public static void Missing(string reason)
    {
        if (IsContinuousIntegration) Assert.Fail(reason);
        Assert.Skip(reason);
    }

    /// <summary>The root of the checkout: where Debugger.sln is.</summary>
    public static string RepositoryRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Debugger.sln"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("the tests must run from inside the checkout");
    }
}
