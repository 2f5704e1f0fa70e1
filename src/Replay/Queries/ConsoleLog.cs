using System;
using System.Collections.Generic;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>One byte that the guest printed, or several that went out at once.</summary>
/// <param name="At">Position of the instruction that printed: seeking there stands just before it.</param>
/// <param name="Channel">Where it went.</param>
/// <param name="Data">The bytes.</param>
public readonly record struct ConsoleOutput(Position At, OutputChannel Channel, ReadOnlyMemory<byte> Data);

/// <summary>What the guest printed, read from the event log without replaying.</summary>
public sealed class ConsoleLog
{
    internal ConsoleLog() { }

    /// <summary>Output by instructions before <paramref name="until"/>, from <paramref name="from"/> on, in order; <paramref name="channel"/> null: of all channels.</summary>
    public IEnumerable<ConsoleOutput> Read(Position from, Position until, OutputChannel? channel = null) => throw new NotSupportedException();

    /// <summary>All bytes of one channel before <paramref name="until"/>.</summary>
    public byte[] ReadBytes(Position until, OutputChannel channel = OutputChannel.Serial0) => throw new NotSupportedException();

    /// <summary>
    /// The first (or, in <paramref name="reverse"/>, last) place after (before) <paramref name="from"/> at which a channel has printed <paramref name="text"/>: the
    /// position of the instruction that printed its last byte. null: nowhere.
    /// </summary>
    public ConsoleOutput? Find(string text, Position from, bool reverse, OutputChannel? channel = null) => throw new NotSupportedException();
}
