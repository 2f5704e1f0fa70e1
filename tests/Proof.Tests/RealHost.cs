using System;
using System.Diagnostics;
using System.Security.Cryptography;
using Replay.Recording;

namespace Proof.Tests;

/// <summary>The real clock and real randomness: what is recorded must not depend on them being tame.</summary>
internal sealed class RealHost : IHostServices
{
    public ulong ReadMonotonicNanoseconds() => (ulong)(Stopwatch.GetTimestamp() * (1_000_000_000.0 / Stopwatch.Frequency));

    public void FillRandom(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
