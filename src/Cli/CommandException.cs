using System;

namespace Cli;

/// <summary>A command cannot go on. The message is for people: what, where, and what to do.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    /// <summary>One of <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode => exitCode;

    public static CommandException Usage(string message) => new(Cli.ExitCode.Usage, message);
    public static CommandException BadFile(string message) => new(Cli.ExitCode.BadFile, message);
    public static CommandException Failed(string message) => new(Cli.ExitCode.Failed, message);
}
