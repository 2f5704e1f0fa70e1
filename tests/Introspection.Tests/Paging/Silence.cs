using System;
using Vmm.Inputs;
using Vmm.Time;

namespace Introspection.Tests.Paging;

/// <summary>Nothing comes and nothing is kept.</summary>
internal sealed class Silence : IInputSource, IOutputSink
{
    public ulong NextArrival => ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    public ulong ReadTime(Position at) => 0;

    public void FillEntropy(Position at, Span<byte> destination) => destination.Clear();

    public bool Idle(Position at, ulong nanosecondsToTimer) => false;

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }
}
