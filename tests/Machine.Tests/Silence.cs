using System;
using Vmm.Inputs;
using Vmm.Time;

namespace Machine.Tests;

/// <summary>No input ever comes, random bytes are a function of the position, and output is kept as text.</summary>
internal sealed class Silence : IInputSource, IOutputSink
{
    private readonly System.Text.StringBuilder _text = new();

    public string Serial => _text.ToString();

    public ulong NextArrival => ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    public ulong ReadTime(Position at) => throw new InvalidOperationException("the clock is virtual");

    public void FillEntropy(Position at, Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++) destination[i] = (byte)(at.InstructionCount * 31 + (ulong)i);
    }

    public bool Idle(Position at, ulong nanosecondsToTimer) => false;

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        if (channel != OutputChannel.Serial0) return;
        foreach (byte b in data) _text.Append((char)b);
    }
}
