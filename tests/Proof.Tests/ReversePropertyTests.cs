using Replay.Packages;
using Vmm.Platform;
using Xunit;

namespace Proof.Tests;

/// <summary>The reverse properties per seed, on our kernel and on Debian's.</summary>
public sealed class ReversePropertyTests(KernelRecordings recordings)
{
    private const uint Efer = 0xC000_0080, FsBase = 0xC000_0100;

    [Theory]
    [InlineData(1, ClockKind.Virtual)]
    [InlineData(2, ClockKind.Host)]
    [InlineData(3, ClockKind.Virtual)]
    public void Going_back_in_the_demo(int seed, ClockKind clock) => CheckDemo(seed, 1 + seed % 4, clock, rounds: 2);

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(11, 1)]
    [InlineData(12, 2)]
    [InlineData(13, 4)]
    [InlineData(14, 8)]
    public void Going_back_in_the_demo_at_length(int seed, int cpuCount)
    {
        CheckDemo(seed, cpuCount, ClockKind.Virtual, rounds: 8);
        CheckDemo(seed + 100, cpuCount, ClockKind.Host, rounds: 8);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Going_back_in_Debian()
    {
        RecordingFile recording = recordings.Get("cloud, 2 vCPUs");
        ReverseProperties.StartIsToldTwice(recording);
        ReverseProperties.ForwardAndBack(recording, seed: 1, rounds: 8, mostSteps: 3000);
        int found = ReverseProperties.ContinueFindsWhatBruteForceFinds(recording, seed: 2, rounds: 2, FsBase, "ttvm: init reached");
        Assert.InRange(found, 15, 18);
        ReverseProperties.WritesAreThoseOfBruteForce(recording, seed: 3, addresses: 6, rounds: 2);
    }

    private static void CheckDemo(int seed, int cpuCount, ClockKind clock, int rounds)
    {
        using var folder = new RecordingFolder($"reverse-{seed}-{cpuCount}-{clock}");
        using (RecordingFile recording = folder.Record("demo64.ttvm", Kernels.Demo64(cpuCount, (ulong)seed, clock), interval: 100_000))
        {
            ReverseProperties.StartIsToldTwice(recording);
            ReverseProperties.ForwardAndBack(recording, seed, rounds * 3, mostSteps: 2500);
            int found = ReverseProperties.ContinueFindsWhatBruteForceFinds(recording, seed, rounds * 2, Efer, "deposited");
            Assert.InRange(found, 14, 18);
            ReverseProperties.WritesAreThoseOfBruteForce(recording, seed, addresses: rounds * 3, rounds: 3);
        }
        folder.Succeed();
    }
}
