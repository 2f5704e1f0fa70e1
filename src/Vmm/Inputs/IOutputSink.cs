using System;
using Vmm.Time;

namespace Vmm.Inputs;

/// <summary>Where guest output comes from.</summary>
public enum OutputChannel
{
    Serial0 = 0,
    Serial1 = 1,
    DebugConsole = 2,
    VirtioConsole = 3,
}

/// <summary>Receives what the guest prints. It cannot influence the machine.</summary>
public interface IOutputSink
{
    /// <param name="at">Position of the instruction that did the output.</param>
    /// <param name="channel">Which port it went to.</param>
    /// <param name="data">The bytes, in guest order.</param>
    void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data);
}
