using System;
using System.Collections.Generic;
using Dap.Protocol;

namespace Dap.Sessions.Repl;

/// <summary>A command of the debug console.</summary>
/// <param name="Usage">With its arguments; the first word is its name.</param>
/// <param name="Help">What it does.</param>
/// <param name="Run">Does it.</param>
internal sealed record ConsoleCommand(string Usage, string Help, Func<CommandLine, ConsoleResult> Run)
{
    public string Name { get; } = Usage.Split(' ', '/')[0];

    /// <summary>Shorter names.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    public bool IsCalled(string name)
    {
        if (name == Name) return true;
        foreach (string alias in Aliases)
            if (name == alias) return true;
        return false;
    }

    /// <summary>That it was not used rightly.</summary>
    public RequestException Misused() => new($"usage: {Usage} ({Help})");
}

/// <summary>What was typed.</summary>
/// <param name="Command">What it called.</param>
/// <param name="Modifier">What follows a slash in the first word: "8gx" of "x/8gx".</param>
/// <param name="Rest">What follows the first word.</param>
/// <param name="View">The machine as the vCPU sees it that is looked at.</param>
internal readonly record struct CommandLine(ConsoleCommand Command, string Modifier, string Rest, GuestView View)
{
    /// <summary>The rest, which must be there.</summary>
    public string Required => Rest.Length > 0 ? Rest : throw Command.Misused();
}

/// <summary>What a command printed, and what is to be told once that is out.</summary>
internal sealed record ConsoleResult(string Text, Action? Then = null)
{
    public static implicit operator ConsoleResult(string text) => new(text);
}
