using System;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Bytes that another thread pushes, a terminal's reader for one. An idle guest waits for them in real time.</summary>
public sealed class InteractiveInput : ILiveInput
{
    public InteractiveInput(InputKind kind = InputKind.Serial, int unit = 0) => throw new NotSupportedException();

    /// <summary>Gives bytes to the guest. Callable from any thread.</summary>
    public void Push(ReadOnlySpan<byte> data) => throw new NotSupportedException();

    /// <summary>Nothing more will come: a guest that waits only for input then counts as halted. Callable from any thread.</summary>
    public void Close() => throw new NotSupportedException();

    public ulong NextArrival => throw new NotSupportedException();
    public bool TryTake(Position at, out InputEvent input) => throw new NotSupportedException();
    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }
    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation) { }
}
