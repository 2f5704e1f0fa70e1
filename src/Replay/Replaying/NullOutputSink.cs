using System;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Replaying;

/// <summary>Output that the log has already.</summary>
internal sealed class NullOutputSink : IOutputSink
{
    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }
}
