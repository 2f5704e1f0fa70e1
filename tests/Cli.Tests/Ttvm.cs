using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Runs the built program, as a user does.</summary>
internal static partial class Ttvm
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(5);

    /// <summary>The folder with the program: beside this one, in the same configuration.</summary>
    public static string Folder { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Cli", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'))));

    public static string Program { get; } = Path.Combine(Folder, "ttvm");

    public static ToolResult Run(params string[] arguments)
    {
        ToolResult result = HostTool.Run(Program, arguments, s_timeout);
        AssertNoStackTrace(result, arguments);
        return result;
    }

    /// <summary>Runs it and expects exit code 0; returns standard output.</summary>
    public static string Good(params string[] arguments) => Expect(0, arguments).Output;

    /// <summary>Runs it and expects an exit code.</summary>
    public static ToolResult Expect(int exitCode, params string[] arguments)
    {
        ToolResult result = Run(arguments);
        Assert.True(result.ExitCode == exitCode,
            $"ttvm {string.Join(' ', arguments)}: exit code {result.ExitCode} instead of {exitCode}\n{result.Output}\n{result.Error}");
        return result;
    }

    /// <summary>Expects an exit code, nothing on standard output, and one sentence that contains all of <paramref name="words"/>.</summary>
    public static void Refuses(int exitCode, string[] arguments, params string[] words)
    {
        ToolResult result = Expect(exitCode, arguments);
        string message = result.Error.TrimEnd();
        Assert.StartsWith("ttvm", message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", message, StringComparison.Ordinal);
        Assert.DoesNotContain("this is a bug", message, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, message, StringComparison.Ordinal);
    }

    /// <summary>Starts it without waiting.</summary>
    public static Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new IOException($"cannot start {Program}");
    }

    private static void AssertNoStackTrace(ToolResult result, string[] arguments)
    {
        foreach (string text in (string[])[result.Output, result.Error])
            Assert.False(StackTraceLine().IsMatch(text), $"a stack trace from ttvm {string.Join(' ', arguments)}:\n{text}");
    }

    [GeneratedRegex(@"^\s+at \w+(\.\w+)+", RegexOptions.Multiline)]
    private static partial Regex StackTraceLine();
}
