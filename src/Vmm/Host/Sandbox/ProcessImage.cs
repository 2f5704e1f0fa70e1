using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Vmm.Host.Sandbox;

/// <summary>This process as Linux shows it, and another one in its place.</summary>
public static class ProcessImage
{
    /// <summary>The program: for `dotnet X.dll` that is `dotnet`.</summary>
    public static string Program => File.ResolveLinkTarget("/proc/self/exe", returnFinalTarget: false)?.FullName ?? throw new SandboxException("/proc/self/exe is not there");

    /// <summary>Whether this thread, and what it starts, can gain no privileges any more.</summary>
    public static bool IsWithoutNewPrivileges => File.ReadAllText("/proc/self/status").Contains("\nNoNewPrivs:\t1\n", StringComparison.Ordinal);

    /// <summary>Files that are mapped, such as libraries, each once.</summary>
    public static IReadOnlyCollection<string> MappedFiles()
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in File.ReadLines("/proc/self/maps"))
            if (line.IndexOf('/', StringComparison.Ordinal) is >= 0 and int start) files.Add(line[start..]);
        return files;
    }

    /// <summary>
    /// Starts the same program with the same arguments in this process's place: all other threads end, and what restricts the calling thread restricts all of the new program.
    /// </summary>
    /// <param name="environment">Its environment, NAME=VALUE.</param>
    /// <exception cref="SandboxException">It cannot be started; this program goes on.</exception>
    public static void Restart(IReadOnlyCollection<string> environment)
    {
        string[] arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).Split('\0')[..^1];
        HostCall.Execute(Program, arguments, [.. environment]);
        throw SandboxException.Of($"{Program} cannot be started again");
    }

    /// <summary>Tries a system call.</summary>
    /// <returns>0, or what it fails with (errno).</returns>
    public static int Try(SystemCall call, nint a = 0, nint b = 0, nint c = 0) =>
        HostCall.Invoke(call, a, b, c) < 0 ? Marshal.GetLastPInvokeError() : 0;
}
