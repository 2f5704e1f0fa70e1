using System;
using System.Threading;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Time;

namespace Replay.Verification;

/// <summary>What a verification found.</summary>
/// <param name="IsGood">Every hash, input and digest is as recorded.</param>
/// <param name="FirstBad">The first position at which it was not; null for damage to the file itself.</param>
/// <param name="Problem">One sentence; empty when good.</param>
/// <param name="DigestCount">Digests compared.</param>
/// <param name="InputCount">Inputs, time readings and entropy requests compared.</param>
/// <param name="ReplayedInstructions">Instructions replayed.</param>
public sealed record VerificationReport(bool IsGood, Position? FirstBad, string Problem, int DigestCount, long InputCount, ulong ReplayedInstructions);

/// <summary>Proves that a recording replays: checks the hash of every part, replays it all and compares every input, output and digest.</summary>
public static class RecordingVerifier
{
    /// <param name="recording">The recording.</param>
    /// <param name="maxParallelism">Machines side by side; 0: one per core.</param>
    /// <param name="progress">Instructions replayed.</param>
    /// <param name="cancellation">Stops with <see cref="OperationCanceledException"/>.</param>
    public static VerificationReport Verify(RecordingFile recording, int maxParallelism = 0, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => throw new NotSupportedException();
}
