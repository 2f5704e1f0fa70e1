using System;
using System.Diagnostics;
using System.Security.Cryptography;
using Replay.Recording;

namespace Cli.Hosting;

/// <summary>The host's clock and random numbers, for recording with <c>--clock host</c> and for guests that ask for entropy.</summary>
internal sealed class HostServices : IHostServices
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    public ulong ReadMonotonicNanoseconds()
    {
        UInt128 ticks = (UInt128)(ulong)Stopwatch.GetTimestamp();
        return (ulong)(ticks * NanosecondsPerSecond / (ulong)Stopwatch.Frequency);
    }

    public void FillRandom(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
