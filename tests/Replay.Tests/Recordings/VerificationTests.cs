using System.Text;
using Replay.Packages;
using Replay.Verification;
using Vmm.Platform;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>What was recorded replays: every input, output and digest.</summary>
public sealed class VerificationTests
{
    [Theory]
    [InlineData(1, null, ClockKind.Virtual)]
    [InlineData(2, null, ClockKind.Virtual)]
    [InlineData(2, 7UL, ClockKind.Virtual)]
    [InlineData(1, null, ClockKind.Host)]
    [InlineData(4, 3UL, ClockKind.Host)]
    public void A_kernel_replays(int cpuCount, ulong? chaosSeed, ClockKind clock)
    {
        using var test = new TestRecording();
        using RecordingFile recording = test.Record(TestRecording.Demo64(cpuCount, chaosSeed, clock));
        string console = Encoding.ASCII.GetString(recording.Console.ReadBytes(recording.End));
        TestContext.Current.TestOutputHelper?.WriteLine($"{recording.End} {recording.Outcome} {recording.Sizes}\n{console}");
        Assert.NotEqual(OutcomeKind.None, recording.Outcome.Kind);
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
        Assert.Equal(recording.Checkpoints.Count - 1, report.DigestCount);
        Assert.Equal(recording.End.InstructionCount, report.ReplayedInstructions);
    }
}
