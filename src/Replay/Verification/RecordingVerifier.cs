using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Packages;
using Replay.Replaying;
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
public sealed record VerificationReport(bool IsGood, Position? FirstBad, string Problem, int DigestCount, long InputCount,
    ulong ReplayedInstructions)
{
    /// <summary>Stretches that are not there any more, and were left out.</summary>
    public int HoleCount { get; init; }
}

/// <summary>Proves that a recording replays: checks the hash of every part, replays it all and compares every input, output and
/// digest.</summary>
public static class RecordingVerifier
{
    private const int ReportMilliseconds = 50;

    /// <param name="recording">The recording.</param>
    /// <param name="maxParallelism">Machines side by side; 0: one per core.</param>
    /// <param name="progress">Instructions replayed.</param>
    /// <param name="cancellation">Stops with <see cref="OperationCanceledException"/>.</param>
    public static VerificationReport Verify(RecordingFile recording, int maxParallelism = 0, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        try
        {
            CompareParts(recording, cancellation);
        }
        catch (RecordingFormatException e)
        {
            return new VerificationReport(false, null, e.Message, 0, 0, 0);
        }
        var run = new IntervalVerification(recording, cancellation);
        int parallelism = maxParallelism > 0 ? maxParallelism : Environment.ProcessorCount;
        var workers = new Task[Math.Clamp(parallelism, 1, recording.CheckpointStore.Count)];
        for (int i = 0; i < workers.Length; i++)
            workers[i] = Task.Factory.StartNew(run.Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (!Task.WaitAll(workers, ReportMilliseconds, CancellationToken.None))
                progress?.Report(new TimelineProgress(run.DoneInstructions, recording.InstructionCount));
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(new TimelineProgress(run.DoneInstructions, recording.InstructionCount));
        return run.Report();
    }

    /// <summary>What can be checked without a machine.</summary>
    /// <exception cref="RecordingFormatException">The first part that is not as it should be.</exception>
    internal static void CompareParts(RecordingFile recording, CancellationToken cancellation)
    {
        recording.VerifyHashes(cancellation);
        CompareLogWithCheckpoints(recording);
    }

    // The log tells of every checkpoint and has its digest: both must be as the checkpoints themselves say.
    private static void CompareLogWithCheckpoints(RecordingFile recording)
    {
        var digests = new Dictionary<Position, StateDigest>();
        int announced = 0;
        foreach (LogRecord record in recording.Log.ReadAll())
        {
            if (record.Kind == LogRecordKind.Digest) digests[record.At] = new StateDigest(record.Data.Span);
            if (record.Kind != LogRecordKind.Checkpoint) continue;
            if (record.Unit != announced)
                throw recording.Damaged($"the log names checkpoint {record.Unit} at {record.At}, where {announced} should follow");
            if (announced < recording.CheckpointStore.Count && recording.CheckpointStore.PositionOf(announced) != record.At)
                throw recording.Damaged($"the log has checkpoint {announced} at {record.At}, the checkpoint is at {recording.CheckpointStore.PositionOf(announced)}");
            announced++;
        }
        foreach (CheckpointInfo checkpoint in recording.Checkpoints)
            if (digests.TryGetValue(checkpoint.Position, out StateDigest logged) && logged != checkpoint.Digest)
                throw recording.Damaged($"the log and the checkpoint at {checkpoint.Position} have different digests");
        string end = recording.Manifest.End.Digest;
        CheckpointInfo last = recording.Checkpoints[^1];
        if (end.Length > 0 && last.Position == recording.End && end != last.Digest.ToString())
            throw recording.Damaged("its manifest and its last checkpoint have different digests");
    }
}
