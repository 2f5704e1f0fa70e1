using System;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Nothing ever arrives.</summary>
public sealed class NoInput : ILiveInput
{
    public ulong NextArrival => ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }

    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation) { }
}
