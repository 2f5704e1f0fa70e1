using System;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Where a machine that is being recorded gets its inputs from. It may be as nondeterministic as it likes: what it hands out is
/// logged with its position, and replay never asks it again.
/// </summary>
public interface ILiveInput
{
    /// <summary>The machine need not ask before this InstructionCount; 0 when something is due, <see cref="ulong.MaxValue"/> when nothing
    /// is known to come.</summary>
    ulong NextArrival { get; }

    /// <summary>Takes the next event due at <paramref name="at"/>; false when none is.</summary>
    bool TryTake(Position at, out InputEvent input);

    /// <summary>The guest printed something.</summary>
    void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data);

    /// <summary>
    /// Every vCPU is halted. The source may wait for an input, at most <paramref name="nanosecondsToTimer"/> of real time
    /// (<see cref="ulong.MaxValue"/>: no timer is armed, so that only an input can wake the guest), or until
    /// <paramref name="cancellation"/>.
    /// </summary>
    void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation);
}

/// <summary>What only a host has, passed in by the program: Replay itself reads no clock and no random numbers.</summary>
public interface IHostServices
{
    /// <summary>
    /// A monotonic time in nanoseconds from any origin. The guest sees it only with <c>--clock host</c>; else it measures how long
    /// checkpoints take.
    /// </summary>
    ulong ReadMonotonicNanoseconds();

    /// <summary>The time for a guest that follows the host's clock, from the same origin, when it asks at a position.</summary>
    ulong ReadClock(Position at) => ReadMonotonicNanoseconds();

    /// <summary>Random bytes for a guest that asks for entropy.</summary>
    void FillRandom(Span<byte> destination);

    /// <summary>Lets time pass for an idle guest that follows the host's clock: not more than this, often less.</summary>
    void Wait(ulong nanoseconds)
    {
        const ulong nanosecondsPerMillisecond = 1_000_000;
        const int longestMilliseconds = 50;
        ulong milliseconds = nanoseconds / nanosecondsPerMillisecond;
        if (milliseconds > 0) Thread.Sleep((int)Math.Min(milliseconds, longestMilliseconds));
        else Thread.SpinWait(100);
    }
}
