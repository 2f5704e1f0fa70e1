using System;
using Replay.Recording;

namespace Introspection.Tests;

/// <summary>A clock that stands: checkpoints are then where the interval says. The guests of these tests want no random numbers.</summary>
internal sealed class StandingHost : IHostServices
{
    public ulong ReadMonotonicNanoseconds() => 0;

    public void FillRandom(Span<byte> destination) => throw new InvalidOperationException("the host's random numbers are not to be used");
}
