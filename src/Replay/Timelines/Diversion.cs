using System;
using Vmm.Inputs;
using Vmm.Platform;

namespace Replay.Timelines;

/// <summary>
/// A throw-away fork of a timeline: a machine of its own, in which memory and registers may be changed and which may run on, with no inputs
/// from outside. The recording and the timeline never change. Stays valid when the timeline moves; dispose of it before the timeline.
/// </summary>
public sealed class Diversion : IDisposable
{
    internal Diversion() => throw new NotSupportedException();

    /// <summary>The forked machine, free to be changed and run.</summary>
    public Machine Machine => throw new NotSupportedException();

    /// <summary>What the fork printed since it was made, on one channel.</summary>
    public byte[] Output(OutputChannel channel = OutputChannel.Serial0) => throw new NotSupportedException();

    public void Dispose() { }
}
