using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading.Tasks;

namespace TestKit;

/// <summary>What a program did.</summary>
/// <param name="ExitCode">Its exit status; -1 when it was killed because time was up.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record ToolResult(int ExitCode, string Output, string Error);

/// <summary>Runs real programs of the host: compilers, QEMU, gdb.</summary>
public static class HostTool
{
    /// <summary>The program's absolute path, or null when it is not in PATH.</summary>
    public static string? Find(string program)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            if (folder.Length == 0) continue;
            string path = Path.Combine(folder, program);
            if (File.Exists(path)) return path;
        }
        return null;
    }

    /// <summary>Goes on if the program is there; else skips the test, or fails it where everything must be there.</summary>
    public static void Require(string program, string debianPackage)
    {
        if (Find(program) is null)
            Requirement.Missing($"{program} is not installed", $"apt-get install {debianPackage}");
    }

    /// <summary>Runs a program to its end, or for at most <paramref name="timeout"/>.</summary>
    public static ToolResult Run(string program, IEnumerable<string> arguments, TimeSpan timeout, string? workingFolder = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.Latin1,
            WorkingDirectory = workingFolder ?? Repository.Root,
        };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start) ?? throw new IOException($"Cannot start {program}.");
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        bool ended = process.WaitForExit(timeout);
        if (!ended) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        return new ToolResult(ended ? process.ExitCode : -1, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
