using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Replay.Exploration;
using Replay.Packages;
using Replay.Recording;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Concurrency.Tests;

/// <summary>Every broken guest is found, its failing schedule is recorded and shrunk, and both recordings verify.</summary>
public sealed class ExplorationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-explore").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// Seeds that are enough, counted from 0 (measured with Debian's gcc 12.2: channel, deadlock and interrupts 1, tas, ttas, ticket and rcu-tree 2, rcu-list 4, mcs 7, release 1,
    /// rw 12, stack 20, mcs-order 36), and forced switches that are enough. The bounds have room for another compiler's code.
    /// </summary>
    [Theory]
    [InlineData("tas-broken", 32, 3, "tas: broken: ")]
    [InlineData("ttas-broken", 32, 3, "ttas: broken: ")]
    [InlineData("ticket-broken", 32, 2, "ticket: broken: ")]
    [InlineData("mcs-broken", 32, 3, "mcs: broken: vCPU [0-3] waits for ever for mcsLock")]
    [InlineData("mcs-order-broken", 64, 3, "mcs-order: broken: vCPU [0-3] waits for ever for mcsLock")]
    [InlineData("rw-broken", 64, 3, "rw: broken: ")]
    [InlineData("rcu-list-broken", 32, 2, "rcu-list: broken: reader on vCPU [0-3] (stands on node [0-9]+, which was freed|finds node [0-9]+ changed under it)")]
    [InlineData("rcu-tree-broken", 32, 3, "rcu-tree: broken: reader on vCPU [0-3] (stands on node [0-9]+, which was freed|finds node [0-9]+ changed under it)")]
    [InlineData("stack-broken", 64, 3, "stack: broken: ")]
    [InlineData("channel-broken", 32, 2, "channel: broken: vCPU [0-3] reads word [0-6] of message [0-9]+ from vCPU [0-3], and it is ")]
    [InlineData("deadlock-broken", 32, 2, "deadlock: broken: vCPU [0-3] waits for ever for lock[AB]")]
    [InlineData("release-broken", 32, 2, "release: broken: ")]
    [InlineData("interrupts-broken", 32, 0, "interrupts: broken: vCPU [0-3] waits for ever for irqLock")]
    public void A_broken_guest_is_found_recorded_and_shrunk(string name, ulong enoughSeeds, int enoughSwitches, string says)
    {
        MachineConfiguration configuration = new ConcurrencyGuest(name).Configuration();
        FailureCriteria criteria = ConcurrencyGuest.Criteria;
        Exploration exploration = new ScheduleExplorer(configuration, criteria).Run(0, enoughSeeds, 1);
        FailingSeed failing = Assert.Single(exploration.Failures);
        Assert.Equal(failing.Seed + 1, exploration.SeedCount);
        Assert.Matches(says, failing.Verdict.LastLine);
        AssertRecordingVerifies(ScheduleExplorer.WithSeed(configuration, failing.Seed), failing.Verdict);

        ExploredSchedule shrunk = new ScheduleShrinker(configuration, criteria).Shrink(failing);
        TestContext.Current.SendDiagnosticMessage($"{name}: seed {failing.Seed}, {shrunk.OriginalCount} switches to {shrunk.Switches.Count}, {shrunk.TrialCount} trials");
        Assert.True(shrunk.IsMinimal);
        Assert.Matches(says, shrunk.Verdict.LastLine);
        Assert.True(shrunk.Switches.Count <= enoughSwitches, $"{name}, seed {failing.Seed}: {shrunk.Switches.Count} forced switches");
        AssertRecordingVerifies(shrunk.Apply(configuration), shrunk.Verdict);
        // Without any one of them it does not fail in this way.
        ForcedSwitch[] switches = [.. shrunk.Switches.Select(static one => one.Switch)];
        for (int left = 0; left < switches.Length; left++)
        {
            ForcedSwitch[] others = [.. switches.Where((_, index) => index != left)];
            Assert.NotEqual(shrunk.Verdict.Kind, new ScheduleTrial(ScheduleShrinker.WithSwitches(configuration, others), criteria).Run(default).Kind);
        }
    }

    [Fact]
    public void What_is_found_does_not_depend_on_how_many_run_at_a_time()
    {
        MachineConfiguration configuration = new ConcurrencyGuest("stack-broken").Configuration();
        Exploration one = new ScheduleExplorer(configuration, ConcurrencyGuest.Criteria).Run(10, 40, 2, maxParallelism: 1);
        Exploration many = new ScheduleExplorer(configuration, ConcurrencyGuest.Criteria).Run(10, 40, 2, maxParallelism: 5);
        Assert.Equal(2, one.Failures.Count);
        Assert.Equal(one.Failures, many.Failures);
        Assert.Equal((one.SeedCount, one.InstructionCount), (many.SeedCount, many.InstructionCount));
    }

    [Fact]
    public void A_text_can_be_the_failure_and_so_can_a_hang()
    {
        MachineConfiguration configuration = new ConcurrencyGuest("tas").Configuration();
        var text = new FailureCriteria { FailureText = "4 vCPUs" };
        FailingSeed failing = Assert.Single(new ScheduleExplorer(configuration, text).Run(3, 1, 1).Failures);
        Assert.Equal((3UL, VerdictKind.Text), (failing.Seed, failing.Verdict.Kind));
        Assert.Empty(new ScheduleShrinker(configuration, text).Shrink(failing).Switches);
        var hang = new FailureCriteria { MaximumInstructions = 50_000 };
        failing = Assert.Single(new ScheduleExplorer(configuration, hang).Run(3, 1, 1).Failures);
        Assert.Equal((VerdictKind.Hang, 50_000UL), (failing.Verdict.Kind, failing.Verdict.InstructionCount));
        var code = new FailureCriteria { GoodExitCode = 0x10 };
        Assert.Equal(VerdictKind.ExitCode, Assert.Single(new ScheduleExplorer(configuration, code).Run(3, 1, 1).Failures).Verdict.Kind);
    }

    [Fact]
    public void It_can_be_cancelled()
    {
        using var source = new System.Threading.CancellationTokenSource();
        source.Cancel();
        MachineConfiguration configuration = new ConcurrencyGuest("tas").Configuration();
        Assert.Throws<OperationCanceledException>(() => new ScheduleExplorer(configuration, ConcurrencyGuest.Criteria).Run(0, 10, 1, cancellation: source.Token));
        var failing = new FailingSeed(0, new Verdict(VerdictKind.ExitCode, 100_000, "", ""));
        Assert.Throws<OperationCanceledException>(() => new ScheduleShrinker(configuration, ConcurrencyGuest.Criteria, source.Token).Shrink(failing));
    }

    private void AssertRecordingVerifies(MachineConfiguration configuration, Verdict verdict)
    {
        string path = Path.Combine(_folder, $"{Guid.NewGuid():n}.ttvm");
        ScheduleRecorder.Record(configuration, ConcurrencyGuest.Criteria, new RecorderOptions { Path = path, CheckpointInterval = 50_000 });
        using RecordingFile recording = RecordingFile.Open(path);
        Assert.Equal(verdict.InstructionCount, recording.End.InstructionCount);
        Assert.Equal((configuration.TurnPolicy, configuration.ChaosSeed), (recording.Configuration.TurnPolicy, recording.Configuration.ChaosSeed));
        Assert.Equal(configuration.ForcedSwitches, recording.Configuration.ForcedSwitches);
        VerificationReport report = RecordingVerifier.Verify(recording);
        Assert.True(report.IsGood, report.Problem);
        Assert.True(report.DigestCount > 1);
    }
}
