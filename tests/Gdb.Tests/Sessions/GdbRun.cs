using System;
using System.Collections.Generic;
using TestKit;
using Xunit;

namespace Gdb.Tests.Sessions;

/// <summary>Runs the real gdb in batch mode.</summary>
internal static class GdbRun
{
    /// <summary>What it printed for each command, in order.</summary>
    /// <param name="target">The command that connects.</param>
    /// <param name="symbols">An ELF file, or null.</param>
    /// <param name="commands">What to do then.</param>
    public static IReadOnlyList<string> Do(string target, string? symbols, params string[] commands)
    {
        HostTool.Require("gdb", "gdb");
        // "-nx": nobody's own settings. What `monitor` says goes to the standard error: the shell puts it where it belongs.
        List<string> arguments =
        [
            "-c", "exec gdb \"$@\" 2>&1", "gdb", "-nx", "-q", "-batch",
            "-ex", "set confirm off", "-ex", "set debuginfod enabled off", "-ex", "set remotetimeout 60", "-ex", target,
        ];
        foreach (string command in commands) arguments.AddRange(["-ex", "echo \\n=====\\n", "-ex", command]);
        if (symbols is not null) arguments.Add(symbols);
        ToolResult result = HostTool.Run("sh", arguments, TimeSpan.FromMinutes(5));
        string output = result.Output.ReplaceLineEndings("\n");
        string[] parts = output.Split("\n=====\n");
        Assert.True(parts.Length == commands.Length + 1, $"gdb answered {parts.Length - 1} of {commands.Length} commands:\n{output}");
        Assert.DoesNotContain("Remote failure", output, StringComparison.Ordinal);
        return parts[1..];
    }
}
