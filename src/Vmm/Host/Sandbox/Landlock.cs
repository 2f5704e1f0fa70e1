using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;

namespace Vmm.Host.Sandbox;

/// <summary>
/// Linux's Landlock: takes from the calling thread, and from all that it will ever start, every file, TCP port, signal and abstract socket that is not granted
/// (Documentation/userspace-api/landlock.rst). It does not restrict stat, chdir, chmod, chown, extended attributes and times of files, and no file that is open already.
/// </summary>
public static unsafe class Landlock
{
    // include/uapi/linux/landlock.h
    private const uint VersionFlag = 1;
    private const int PathBeneath = 1, NetPort = 2;
    private const int BadState = 77; // EBADFD, include/uapi/asm-generic/errno.h
    private const ulong Execute = 1 << 0, WriteFile = 1 << 1, ReadFile = 1 << 2, ReadDirectory = 1 << 3, RemoveDirectory = 1 << 4, RemoveFile = 1 << 5,
        MakeDirectory = 1 << 7, MakeRegular = 1 << 8, Refer = 1 << 13, Truncate = 1 << 14, DeviceControl = 1 << 15;
    private const ulong BindTcp = 1 << 0, ConnectTcp = 1 << 1, ScopeAbstractSockets = 1 << 0, ScopeSignals = 1 << 1;
    private const ulong OfFiles = Execute | WriteFile | ReadFile | Truncate | DeviceControl;

    private static readonly int s_version = QueryVersion();

    [StructLayout(LayoutKind.Sequential)]
    private struct RulesetAttributes
    {
        public ulong HandledFiles, HandledNetwork, Scoped;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct PathBeneathAttributes
    {
        public ulong Allowed;
        public int Parent;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NetPortAttributes
    {
        public ulong Allowed, Port;
    }

    /// <summary>Version of the kernel's interface; 0: it has none, or does not let us use it.</summary>
    public static int Version => s_version;

    /// <summary>Restricts the calling thread, for ever. Its other threads go on as they are: start a new program to leave them behind.</summary>
    /// <param name="rules">All that remains of the file system.</param>
    /// <param name="listensOn">The only TCP port that may be bound, 0: any free one; null: none. No connection can be made in any case.</param>
    /// <exception cref="SandboxException">The kernel refuses.</exception>
    public static void Restrict(IEnumerable<PathRule> rules, int? listensOn)
    {
        Invariant.Check(s_version > 0);
        ulong files = HandledFiles();
        var attributes = new RulesetAttributes { HandledFiles = files, HandledNetwork = BindTcp | ConnectTcp, Scoped = ScopeAbstractSockets | ScopeSignals };
        // The kernel takes as much of the structure as its version has.
        int sizeBytes = s_version >= 6 ? 24 : s_version >= 4 ? 16 : 8;
        int ruleset = (int)HostCall.Invoke(SystemCall.LandlockCreateRuleset, (nint)(&attributes), sizeBytes);
        if (ruleset < 0) throw SandboxException.Of("Landlock has no rules for us");
        try
        {
            foreach (PathRule rule in rules) Add(ruleset, rule, files);
            if (listensOn is { } port && s_version >= 4)
            {
                var allowed = new NetPortAttributes { Allowed = BindTcp, Port = (ulong)port };
                if (HostCall.Invoke(SystemCall.LandlockAddRule, ruleset, NetPort, (nint)(&allowed)) != 0) throw SandboxException.Of($"port {port} cannot be granted");
            }
            HostCall.GainNoPrivileges();
            if (HostCall.Invoke(SystemCall.LandlockRestrictSelf, ruleset) != 0) throw SandboxException.Of("Landlock cannot be entered");
        }
        finally
        {
            _ = HostCall.Close(ruleset);
        }
    }

    private static int QueryVersion()
    {
        if (!OperatingSystem.IsLinux()) return 0;
        return (int)Math.Max(0, HostCall.Invoke(SystemCall.LandlockCreateRuleset, 0, 0, (nint)VersionFlag));
    }

    // Version 1 has the first 13; each later one has added what could be done without asking before.
    private static ulong HandledFiles() => ((1UL << 13) - 1) | (s_version >= 2 ? Refer : 0) | (s_version >= 3 ? Truncate : 0) | (s_version >= 5 ? DeviceControl : 0);

    private static void Add(int ruleset, in PathRule rule, ulong handled)
    {
        int file = HostCall.OpenPath(rule.Path);
        // What is not there, or not ours, needs no rule.
        if (file < 0) return;
        try
        {
            ulong allowed = rule.Access switch
            {
                PathAccess.Read => ReadFile | ReadDirectory,
                PathAccess.ReadAndExecute => ReadFile | ReadDirectory | Execute,
                _ => ReadFile | ReadDirectory | WriteFile | Truncate | RemoveFile | RemoveDirectory | MakeDirectory | MakeRegular | Refer | DeviceControl,
            } & handled;
            if (!Directory.Exists(rule.Path)) allowed &= OfFiles;
            var attributes = new PathBeneathAttributes { Allowed = allowed, Parent = file };
            // Pipes without a name (a shell's <(...)) are in no file system that could be restricted.
            if (HostCall.Invoke(SystemCall.LandlockAddRule, ruleset, PathBeneath, (nint)(&attributes)) != 0 && Marshal.GetLastPInvokeError() != BadState)
                throw SandboxException.Of($"{rule.Path} cannot be granted");
        }
        finally
        {
            _ = HostCall.Close(file);
        }
    }
}
