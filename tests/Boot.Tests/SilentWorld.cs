using System;
using System.Text;
using Vmm.Inputs;
using Vmm.Time;

namespace Boot.Tests;

/// <summary>Nothing arrives from outside, and what the guest writes to its debug console is kept.</summary>
internal sealed class SilentWorld : IInputSource, IOutputSink
{
    private readonly StringBuilder _debugConsole = new();

    public string DebugConsole => _debugConsole.ToString();
    public ulong NextArrival => ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    public ulong ReadTime(Position at) => throw new InvalidOperationException("the clock is virtual");
    public void FillEntropy(Position at, Span<byte> destination) => destination.Clear();

    public bool Idle(Position at, ulong nanosecondsToTimer) => false;

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        if (channel == OutputChannel.DebugConsole) _debugConsole.Append(Encoding.ASCII.GetString(data));
    }
}
