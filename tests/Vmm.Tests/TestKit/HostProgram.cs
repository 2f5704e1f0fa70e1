using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Vmm.Tests.TestKit;

/// <summary>Builds the C programs of <c>host/</c> with the host's gcc, once per content.</summary>
internal static class HostProgram
{
    /// <summary>Null when native programs can be built and run here; else what is missing.</summary>
    public static string? WhyUnavailable()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return "the host oracle runs on x86-64 Linux only";
        return FindInPath("gcc") is null ? "gcc is not installed: apt-get install gcc" : null;
    }

    /// <summary>The path of the built program.</summary>
    /// <exception cref="InvalidOperationException">gcc is missing or did not accept the source.</exception>
    public static string Build(string sourceName, params string[] options)
    {
        string? missing = WhyUnavailable();
        if (missing is not null) throw new InvalidOperationException(missing);
        string source = Path.Combine(AppContext.BaseDirectory, "host", sourceName);
        string hash = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(source)))[..16];
        string program = Path.Combine(AppContext.BaseDirectory, "host", $"{Path.GetFileNameWithoutExtension(sourceName)}-{hash}");
        if (File.Exists(program)) return program;
        string unfinished = $"{program}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}";
        ProcessStartInfo start = new("gcc") { RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (ReadOnlySpan<string>)["-O1", "-Wall", "-Wextra", "-Werror", .. options, "-o", unfinished, source])
            start.ArgumentList.Add(argument);
        using Process gcc = Process.Start(start) ?? throw new InvalidOperationException("gcc did not start");
        string errors = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        if (gcc.ExitCode != 0) throw new InvalidOperationException($"gcc did not accept {sourceName}: {errors}");
        File.Move(unfinished, program, overwrite: true); // atomic, so that test classes may build side by side
        return program;
    }

    private static string? FindInPath(string program)
    {
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            string candidate = Path.Combine(directory, program);
            if (File.Exists(candidate)) return candidate;
        }
        return null;
    }
}
