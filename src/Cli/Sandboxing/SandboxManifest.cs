using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Vmm.Host.Sandbox;

namespace Cli.Sandboxing;

/// <summary>All that a process in the sandbox may touch; there is nothing else for it.</summary>
internal sealed record SandboxManifest
{
    /// <summary>Files that are read, and directories of which all is.</summary>
    public required IReadOnlyCollection<string> ReadOnly { get; init; }
    /// <summary>Directories in which files are made, read, replaced and removed; files that are read and written where they are.</summary>
    public required IReadOnlyCollection<string> Writable { get; init; }
    /// <summary>Programs, which the kernel starts once more when the sandbox is entered; none afterwards.</summary>
    public required IReadOnlyCollection<string> Programs { get; init; }
    /// <summary>What the program and its runtime need of the system: read only.</summary>
    public required IReadOnlyCollection<string> System { get; init; }
    public SocketAccess Sockets { get; init; }
    /// <summary>The TCP port to listen on, 0: any; null: none.</summary>
    public int? Port { get; init; }

    public IEnumerable<PathRule> Rules =>
        [.. Programs.Select(static path => new PathRule(path, PathAccess.ReadAndExecute)),
            .. System.Concat(ReadOnly).Select(static path => new PathRule(path, PathAccess.Read)),
            .. Writable.Concat(SystemFiles.Devices).Select(static path => new PathRule(path, PathAccess.Write))];

    /// <summary>Whether it grants reading a file.</summary>
    public bool Covers(string path) => Rules.Any(rule => path == rule.Path || rule.Path == "/" || path.StartsWith(rule.Path + "/", StringComparison.Ordinal));

    public void Write(TextWriter output)
    {
        WriteList(output, "may read", ReadOnly);
        WriteList(output, "may write", Writable.Concat(SystemFiles.Devices));
        WriteList(output, "may read, for the program and its runtime", Programs.Concat(System));
        string network = Sockets switch
        {
            SocketAccess.ListenTcp => Port is > 0 ? $"only listen on TCP port {Port}" : "only listen on a TCP port",
            SocketAccess.ListenUnix => "only listen on a Unix domain socket",
            _ => "none",
        };
        output.WriteLine($"network\n  {network}");
    }

    // What is not there is no news.
    private static void WriteList(TextWriter output, string title, IEnumerable<string> paths)
    {
        output.WriteLine(title);
        foreach (string path in paths.Where(Path.Exists).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)) output.WriteLine($"  {path}");
    }
}
