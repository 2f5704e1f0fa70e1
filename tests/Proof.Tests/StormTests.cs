using Cli.Lockstep;
using Replay.Packages;
using Replay.Recording;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>
/// Guests that change all the time what engines cache: code (by themselves, across pages, and by another vCPU), page tables under data and code, and interrupts in the middle of
/// arithmetic. Each checks itself; and what one engine recorded must be exact in the others.
/// </summary>
public sealed class StormTests
{
    private static readonly EngineKind[] s_engines = [EngineKind.Interpreter, EngineKind.Translator, EngineKind.TranslatorOfSingleInstructions, EngineKind.TranslatorOfTraces];

    [Theory]
    [InlineData("code", 1, null)]
    [InlineData("code", 3, 4UL)]
    [InlineData("paging", 1, null)]
    [InlineData("paging", 4, 4UL)]
    [InlineData("interrupts", 1, null)]
    [InlineData("interrupts", 4, 4UL)]
    public void A_storm_passes_all_engines(string name, int cpuCount, ulong? chaosSeed)
    {
        MachineConfiguration configuration = Kernels.Storm(name) with { CpuCount = cpuCount, ChaosSeed = chaosSeed };
        using var folder = new RecordingFolder($"storm-{name}-{cpuCount}");
        foreach (EngineKind recorder in s_engines)
        {
            using RecordingFile recording = Record(folder, configuration, recorder);
            Assert.Equal(OutcomeKind.DebugExit, recording.Outcome.Kind);
            Assert.Equal(0U, recording.Outcome.Code);
            foreach (EngineKind replayer in s_engines)
            {
                using LockstepSide side = new BlockSide(recording, $"{replayer}", replayer), same = new BlockSide(recording, $"{recorder}", recorder);
                LockstepDifference? difference = new LockstepRun(side, same, 400_000).Run(Position.Start, recording.End, null, TestContext.Current.CancellationToken);
                Assert.True(difference is null, $"recorded by {recorder}, replayed by {replayer}: {difference?.Instruction} at {difference?.Before}");
            }
            VerificationReport report = RecordingVerifier.Verify(recording);
            Assert.True(report.IsGood, report.Problem);
            Assert.True(report.DigestCount > 2);
        }
        folder.Succeed();
    }

    private static RecordingFile Record(RecordingFolder folder, MachineConfiguration configuration, EngineKind engine)
    {
        string path = folder.PathOf($"{engine}.ttvm");
        var options = new RecorderOptions { Path = path, CheckpointInterval = 200_000, RecordedFrom = "storm" };
        using (var recorder = new Recorder(configuration, new NoInput(), new RealHost(), options))
        {
            recorder.Machine.Engine = engine;
            recorder.Run(ulong.MaxValue);
            recorder.Finish();
        }
        return RecordingFile.Open(path);
    }
}
