using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace X87.Tests;

/// <summary>The host's own x87 unit, reached through host/x87-oracle.c, which gcc compiles once a run.</summary>
internal static class HostFpu
{
    private static readonly Lazy<string?> s_program = new(Compile);

    /// <summary>False where there is no gcc or no x86-64 host: the golden files stand in for it then.</summary>
    public static bool IsAvailable => s_program.Value != null;

    private static string? Compile()
    {
        if (!OperatingSystem.IsLinux() || System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
            != System.Runtime.InteropServices.Architecture.X64) return null;
        string source = Path.Combine(AppContext.BaseDirectory, "host", "x87-oracle.c");
        string program = Path.Combine(AppContext.BaseDirectory, "host", $"x87-oracle-{Environment.ProcessId}");
        try
        {
            using Process gcc = Process.Start(new ProcessStartInfo("gcc", ["-O1", "-mno-red-zone", source, "-o", program]))!;
            gcc.WaitForExit();
            return gcc.ExitCode == 0 ? program : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Runs records of <see cref="CaseRecord"/> and gives the records after execution.</summary>
    public static byte[] Run(byte[] records)
    {
        ProcessStartInfo start = new(s_program.Value!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        Task feed = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(records);
            process.StandardInput.Close();
        });
        byte[] results = new byte[records.Length];
        process.StandardOutput.BaseStream.ReadExactly(results);
        feed.Wait();
        process.WaitForExit();
        return results;
    }
}
