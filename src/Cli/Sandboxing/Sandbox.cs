using System;
using System.Collections;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Cli.Hosting;
using Cli.Parsing;
using Vmm.Host.Sandbox;

namespace Cli.Sandboxing;

/// <summary>
/// Locks the process in before it reads a file that somebody else may have made: see docs/SHARING.md. Landlock holds for one thread and what it starts, so the program starts itself
/// again behind it; the system calls of what runs then are filtered.
/// </summary>
internal static class Sandbox
{
    /// <summary>Its value is a file that could be read before the sandbox was entered and must not be readable in it; empty: there was none.</summary>
    private const string Marker = "TTVM_SANDBOXED";
    // The runtime's own door for debuggers and profilers: a socket, pipes and shared memory in /tmp.
    private const string Diagnostics = "DOTNET_EnableDiagnostics";

    /// <summary>Whether the process is in it.</summary>
    public static bool IsEntered { get; private set; }

    /// <summary>Returns in the sandbox, or where there is none. The first time, it does not return: the program starts anew.</summary>
    /// <param name="parsed">A command line without errors.</param>
    /// <param name="isWanted">The user has not said --no-sandbox.</param>
    /// <param name="context">Where to tell.</param>
    /// <exception cref="SandboxException">There should be one, and it does not hold.</exception>
    public static void Enter(ParseResult parsed, bool isWanted, CommandContext context)
    {
        if (!OperatingSystem.IsLinux() || parsed.Action is VerbHelp || parsed.CommandResult.Command is not VerbCommand verb) return;
        Confinement confinement = verb.ConfinementOf(parsed);
        if (confinement == Confinement.None) return;
        if (!isWanted)
        {
            context.Error.WriteLine("ttvm: WARNING: --no-sandbox: whatever takes over this process through a bad file can do all that you can");
            return;
        }
        if (confinement == Confinement.Full) ConfineFiles(verb, parsed, context);
        ConfineSystemCalls(verb.Sockets(parsed).Sockets, context);
        IsEntered = true;
    }

    private static void ConfineFiles(VerbCommand verb, ParseResult parsed, CommandContext context)
    {
        if (Landlock.Version == 0)
        {
            context.Error.WriteLine("ttvm: the sandbox is not whole: this kernel has no Landlock, so files are not confined; system calls are");
            return;
        }
        if (Environment.GetEnvironmentVariable(Marker) is { } unreadable)
        {
            if (!ProcessImage.IsWithoutNewPrivileges || unreadable.Length > 0 && CanRead(unreadable))
                throw new SandboxException($"the sandbox does not hold ({Marker} is set, but nothing is confined)");
            return;
        }
        SandboxManifest manifest = ManifestBuilder.Of(verb, parsed);
        string probe = Probes().FirstOrDefault(path => CanRead(path) && !manifest.Covers(path)) ?? "";
        List<string> environment = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(static one => $"{one.Key}={one.Value}"), $"{Marker}={probe}"];
        if (Environment.GetEnvironmentVariable(Diagnostics) is null) environment.Add($"{Diagnostics}=0");
        Landlock.Restrict(manifest.Rules, manifest.Port);
        ProcessImage.Restart(environment);
    }

    private static void ConfineSystemCalls(SocketAccess sockets, CommandContext context)
    {
        if (!SystemCallFilter.IsSupported)
        {
            context.Error.WriteLine("ttvm: the sandbox is not whole: system calls are filtered on x86-64 only");
            return;
        }
        try
        {
            SystemCallFilter.Load(sockets);
        }
        catch (SandboxException e)
        {
            context.Error.WriteLine($"ttvm: the sandbox is not whole: {e.Message}");
        }
    }

    // Files that everybody may read, and no verb needs.
    private static string[] Probes() => ["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/fstab"];

    private static bool CanRead(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
