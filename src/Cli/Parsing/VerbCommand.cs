using System;
using System.CommandLine;

namespace Cli.Parsing;

/// <summary>One verb: a command whose help ends with examples.</summary>
internal sealed class VerbCommand : Command
{
    /// <param name="name">The verb.</param>
    /// <param name="description">What it does, in a sentence or a few.</param>
    /// <param name="examples">Lines to show below the options, indented as they are.</param>
    public VerbCommand(string name, string description, string examples)
        : base(name, description)
    {
        Examples = examples;
    }

    public string Examples { get; }

    /// <summary>What the verb does; returns an exit code.</summary>
    public VerbCommand Does(Func<ParseResult, int> action)
    {
        SetAction(action);
        return this;
    }
}
