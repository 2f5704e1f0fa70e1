using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading.Tasks;
using Cli.Lockstep;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;
using Replay.Timelines;
using Replay.Verification;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>Each real kernel: its recording verifies, and the state at a position does not depend on how one gets there.</summary>
public sealed class RealKernelTests(KernelRecordings recordings)
{
    private const int PositionCount = 100;

    /// <summary>The straight run stops after at most so many instructions, and goes on.</summary>
    private const long LongestPiece = 200_000;

    /// <summary>One in so many positions is one between two events, not the first of its instruction count.</summary>
    private const int EventPositionEvery = 5;

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("cloud, 1 vCPU")]
    [InlineData("cloud, 2 vCPUs")]
    [InlineData("cloud, 2 vCPUs, host clock")]
    [InlineData("cloud, 4 vCPUs, chaos")]
    [InlineData("amd64, 1 vCPU")]
    [InlineData("GNU Mach")]
    [InlineData("memtest86+")]
    public async Task A_kernel_verifies_and_any_of_its_positions_can_be_visited(string name)
    {
        var watch = Stopwatch.StartNew();
        RecordingFile recording = recordings.Get(name);
        Report($"recorded {recording.End}", watch);
        // A core each: the verifier's machines start at checkpoints, the straight run goes from the start to the end without any.
        Task<VerificationReport> verification = Task.Run(() => RecordingVerifier.Verify(recording, maxParallelism: 1));
        List<(Position Position, StateDigest Digest)> expected = await Task.Run(() => RunStraight(recording, seed: 1));
        VerificationReport report = await verification;
        Assert.True(report.IsGood, report.Problem);
        Assert.Equal(recording.End.InstructionCount, report.ReplayedInstructions);
        Assert.Equal(recording.Checkpoints.Count - 1, report.DigestCount);
        Report("verified, and run straight", watch);

        (Position, StateDigest)[] order = [.. expected];
        new Random(2).Shuffle(order);
        using var timeline = new Timeline(recording);
        foreach ((Position position, StateDigest digest) in order)
        {
            timeline.Seek(position);
            Assert.Equal(position, timeline.Position);
            Assert.True(digest == timeline.Digest(), $"{name}: the digest at {position} depends on the way there; ttvm lockstep {recording.Path}");
        }
        Report($"visited {order.Length} positions", watch);
    }

    // In ascending order, with one machine that no snapshot but the first is ever restored into.
    /// <summary>Digest by digest from the start to the end: each engine runs the whole kernel by itself.</summary>
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("cloud, 2 vCPUs", EngineKind.Auto)]
    [InlineData("cloud, 4 vCPUs, chaos", EngineKind.Auto)]
    // It is over before much of it is warm.
    [InlineData("GNU Mach", EngineKind.Translator)]
    public void The_translator_runs_a_kernel_in_lockstep_with_the_interpreter(string name, EngineKind engine)
    {
        RecordingFile recording = recordings.Get(name);
        using LockstepSide translator = new BlockSide(recording, "translate", engine), interpreter = new BlockSide(recording, "interp", EngineKind.Interpreter);
        var run = new LockstepRun(translator, interpreter, 20_000_000);
        LockstepDifference? difference = run.Run(Position.Start, recording.End, null, TestContext.Current.CancellationToken);
        Assert.True(difference is null, $"{name}: {difference?.Instruction} at {difference?.Before}: {string.Join("; ", difference?.Difference.Lines ?? [])}");
        Assert.True(run.ComparisonCount > 2);
        Assert.True(translator.Machine.TranslationCounters!.Blocks > 100);
    }

    private static List<(Position, StateDigest)> RunStraight(RecordingFile recording, int seed)
    {
        var random = new Random(seed);
        var targets = new ulong[PositionCount];
        for (int i = 0; i < targets.Length; i++) targets[i] = (ulong)random.NextInt64((long)recording.End.InstructionCount);
        Array.Sort(targets);
        var found = new List<(Position, StateDigest)>();
        using var replayer = new Replayer(recording);
        for (int i = 0; i < targets.Length; i++)
        {
            if (targets[i] < replayer.Position.InstructionCount) continue;
            // Where a run is stopped on the way must not matter: in pieces of any size.
            for (ulong left = targets[i] - replayer.Position.InstructionCount; left > (ulong)LongestPiece; left = targets[i] - replayer.Position.InstructionCount)
                replayer.RunTo(new Position(replayer.Position.InstructionCount + 1 + (ulong)random.NextInt64(LongestPiece)));
            replayer.RunTo(new Position(targets[i]));
            // An event is rarely far away: a timer, a turn of another vCPU, an interrupt.
            if (i % EventPositionEvery == 0)
                for (int steps = 0; steps < 20_000 && replayer.Position.EventOrdinal == 0 && replayer.Position < recording.End; steps++) replayer.Step();
            if (replayer.Position <= recording.End) found.Add((replayer.Position, replayer.Digest()));
        }
        replayer.RunTo(recording.End);
        Assert.Equal(recording.End, replayer.Position);
        Assert.Equal(recording.Checkpoints[^1].Digest, replayer.Digest());
        found.Add((recording.End, replayer.Digest()));
        found.Add((Position.Start, recording.Checkpoints[0].Digest));
        return found;
    }

    private static void Report(string what, Stopwatch watch) =>
        TestContext.Current.TestOutputHelper?.WriteLine($"{watch.Elapsed.TotalSeconds,6:F1} s: {what}");
}
