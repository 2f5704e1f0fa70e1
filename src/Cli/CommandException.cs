using System;
using System.IO;

namespace Cli;

/// <summary>A command cannot go on. The message is for people: what, where, and what to do.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    /// <summary>One of <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode => exitCode;

    public static CommandException Usage(string message) => new(Cli.ExitCode.Usage, message);
    public static CommandException BadFile(string message) => new(Cli.ExitCode.BadFile, message);
    public static CommandException Failed(string message) => new(Cli.ExitCode.Failed, message);

    /// <summary>Nothing is overwritten by accident.</summary>
    /// <param name="path">What is to be written.</param>
    /// <param name="force">The user has said that it may be there.</param>
    /// <exception cref="CommandException">It is there.</exception>
    public static void RequireFree(string path, bool force)
    {
        if (File.Exists(path) && !force) throw Usage($"{path} exists already: choose another name with -o, or add --force");
    }
}
