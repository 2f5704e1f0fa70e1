using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Vmm.Host.Sandbox;

namespace Cli.Sandboxing;

/// <summary>What the program and its runtime read of a Linux system, as measured with strace, and as glibc, OpenSSL and terminfo document it.</summary>
internal static class SystemFiles
{
    /// <summary>Devices that are written; they keep nothing.</summary>
    public static IReadOnlyCollection<string> Devices => ["/dev/null", "/dev/tty"];

    private static readonly string[] s_read =
    [
        // Libraries and separate debug files, and how the loader finds them.
        "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/dotnet",
        // Settings of libraries.
        "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies", "/etc/terminfo", "/usr/share/terminfo", "/etc/localtime", "/usr/share/zoneinfo",
        // How much memory and how many processors there are.
        "/proc/self", "/proc/meminfo", "/proc/stat", "/proc/cpuinfo", "/proc/filesystems", "/proc/sys/vm", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/sys/devices/system/node",
        "/dev/urandom", "/dev/random", "/dev/zero",
    ];

    /// <summary>This program, and the loader that the kernel starts it with.</summary>
    public static IReadOnlyCollection<string> Programs() =>
        [ProcessImage.Program, .. ProcessImage.MappedFiles().Where(static path => Path.GetFileName(path) is { } name
            && (name.StartsWith("ld-linux", StringComparison.Ordinal) || name.StartsWith("ld-musl", StringComparison.Ordinal)))];

    public static IReadOnlyCollection<string> Read()
    {
        var paths = new HashSet<string>(s_read, StringComparer.Ordinal) { Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory) };
        // ROOT/shared/Microsoft.NETCore.App/VERSION, unless the runtime lies beside the program.
        string runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        if (Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(runtime))) == "shared" && Path.GetFullPath(Path.Combine(runtime, "..", "..", "..")) is { } root)
        {
            paths.Add(Path.Combine(root, "shared"));
            paths.Add(Path.Combine(root, "host"));
        }
        string[] folders = [.. paths];
        paths.UnionWith(ProcessImage.MappedFiles().Where(file => !folders.Any(folder => file.StartsWith(folder + "/", StringComparison.Ordinal))));
        return paths;
    }
}
