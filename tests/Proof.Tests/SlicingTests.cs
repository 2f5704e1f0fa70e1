using System;
using Cli.Lockstep;
using Replay.Packages;
using Replay.Replaying;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>Where a run is stopped and goes on is unobservable, with the host's clock too: timers expire at positions that only the guest and its inputs decide.</summary>
public sealed class SlicingTests
{
    [Theory]
    [InlineData(ClockKind.Host)]
    [InlineData(ClockKind.Virtual)]
    public void A_guest_that_reads_the_time_does_not_notice_where_runs_stop(ClockKind clock)
    {
        using var folder = new RecordingFolder($"slicing-{clock}");
        MachineConfiguration configuration = Kernels.Small(GuestImages.Own("clock.elf")) with { Clock = clock };
        using (RecordingFile recording = folder.Record("clock.ttvm", configuration, untilCount: 4_000_000, interval: 1_000_000))
        {
            var random = new Random(1);
            foreach (int longest in (int[])[3, 50, 1_000, 30_000])
            {
                using var replayer = new Replayer(recording);
                // Small pieces for a part of the way only.
                ulong until = Math.Min(recording.End.InstructionCount, (ulong)longest * 20_000);
                while (replayer.Position.InstructionCount < until)
                    replayer.RunTo(new Position(Math.Min(until, replayer.Position.InstructionCount + (ulong)random.Next(1, longest))));
                replayer.RunTo(recording.End);
                Assert.Equal(recording.Checkpoints[^1].Digest, replayer.Digest());
            }
            foreach (EngineKind engine in (EngineKind[])[EngineKind.Interpreter, EngineKind.Translator, EngineKind.TranslatorOfSingleInstructions, EngineKind.TranslatorOfTraces])
            {
                using LockstepSide blocks = new BlockSide(recording, engine.ToString(), engine), steps = new SingleStepSide(recording);
                Assert.Null(new LockstepRun(blocks, steps, 50_000).Run(Position.Start, new Position(Math.Min(recording.End.InstructionCount, 1_000_000)), null, default));
            }
        }
        folder.Succeed();
    }
}
