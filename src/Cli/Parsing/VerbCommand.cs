using System;
using System.Collections.Generic;
using System.CommandLine;
using Cli.Sandboxing;
using Vmm.Host.Sandbox;

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

    /// <summary>How it is locked in before it begins.</summary>
    public Func<ParseResult, Confinement> ConfinementOf { get; private set; } = static _ => Confinement.Full;

    /// <summary>It puts sources of this machine into a recording.</summary>
    public bool ReadsSources { get; private set; }

    /// <summary>Files that it reads beside those that its options name.</summary>
    public Func<ParseResult, IEnumerable<string>> AlsoRead { get; private set; } = static _ => [];

    /// <summary>Files that it writes beside those that its options name.</summary>
    public Func<ParseResult, IEnumerable<string>> AlsoWritten { get; private set; } = static _ => [];

    /// <summary>What it does with sockets, and the TCP port that it listens on, if it does; 0: any.</summary>
    public Func<ParseResult, (SocketAccess Sockets, int? Port)> Sockets { get; private set; } = static _ => (SocketAccess.None, null);

    public VerbCommand Confined(Confinement confinement) => Confined(_ => confinement);

    public VerbCommand Confined(Func<ParseResult, Confinement> confinement)
    {
        ConfinementOf = confinement;
        return this;
    }

    public VerbCommand EmbedsSources()
    {
        ReadsSources = true;
        return this;
    }

    public VerbCommand Reads(Func<ParseResult, IEnumerable<string>> files)
    {
        AlsoRead = files;
        return this;
    }

    public VerbCommand Writes(Func<ParseResult, IEnumerable<string>> files)
    {
        AlsoWritten = files;
        return this;
    }

    public VerbCommand Listens(Func<ParseResult, (SocketAccess Sockets, int? Port)> sockets)
    {
        Sockets = sockets;
        return this;
    }

    /// <summary>What the verb does; returns an exit code.</summary>
    public VerbCommand Does(Func<ParseResult, int> action)
    {
        SetAction(action);
        return this;
    }
}
