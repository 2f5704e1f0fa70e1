using System.CommandLine;
using Cli.Hosting;
using Cli.Lockstep;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Checkpoints;
using Replay.Replaying;
using Replay.Verification;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm bisect FILE</c></summary>
internal static class BisectVerb
{
    private const ulong Interval = 100_000;

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var verb = new VerbCommand("bisect",
            "Finds where a recording that does not verify goes wrong: the stretch between two checkpoints in which replay leaves it, whether two ways to run that stretch "
            + "agree, and what differs at its end. Exit code 0 if it verifies, 1 if not.", """
            Examples:
              ttvm bisect boot.ttvm
            """) { file };
        return verb.Does(parsed =>
        {
            string path = parsed.GetValue(file)!;
            using OpenRecording recording = OpenRecording.Open(path, context);
            OpenRecording.RequireWhole(recording.File, path, "bisect");
            VerificationReport report = ProgressDisplay.Run("verifying", progress => RecordingVerifier.Verify(recording.File, 0, progress, context.Cancellation));
            if (report.IsGood)
            {
                context.Out.WriteLine($"{path} verifies: there is nothing to look for");
                return ExitCode.Good;
            }
            context.Out.WriteLine(report.Problem);
            if (report.FirstBad is not { } bad) throw CommandException.BadFile($"{path} is damaged as a file; no position is at fault");
            Look(context, recording, path, bad);
            return ExitCode.Failed;
        });
    }

    private static void Look(CommandContext context, OpenRecording recording, string path, Position bad)
    {
        CheckpointInfo from = recording.File.Checkpoints[0];
        foreach (CheckpointInfo checkpoint in recording.File.Checkpoints)
            if (checkpoint.Position < bad) from = checkpoint;
        context.Out.WriteLine($"the last checkpoint before is number {from.Index}, at {from.Position}: the first bad transition lies between it and {bad}");

        using LockstepSide a = BlockSide.WithItsEngine(recording.File), b = new SingleStepSide(recording.File);
        LockstepDifference? difference = RunBoth(context, a, b, from.Position, bad);
        if (difference is not null)
        {
            context.Out.WriteLine("replay itself depends on how it is run, which is a bug of the engine:");
            LockstepVerb.Write(context.Out, path, a, b, difference, 1);
            return;
        }
        context.Out.WriteLine("replay gives the same each time it is run, in blocks and one instruction at a time: the recorded run did something else");
        if (from.Index + 1 >= recording.File.Checkpoints.Count || recording.File.Checkpoints[from.Index + 1].Position != bad) return;
        CompareWithCheckpoint(context, recording, from, path);
    }

    private static LockstepDifference? RunBoth(CommandContext context, LockstepSide a, LockstepSide b, Position from, Position to)
    {
        try
        {
            return ProgressDisplay.Run("replaying in two ways", progress => new LockstepRun(a, b, Interval).Run(from, to, progress, context.Cancellation));
        }
        catch (ReplayDivergenceException e)
        {
            // Both come to the place where the log does not fit.
            context.Out.WriteLine($"the first bad position is {e.Position}: expected {e.Expected}, got {e.Got}");
            return null;
        }
    }

    // The checkpoint that should have been reached, beside what replay reaches.
    private static void CompareWithCheckpoint(CommandContext context, OpenRecording recording, CheckpointInfo from, string path)
    {
        Position at = recording.File.Checkpoints[from.Index + 1].Position;
        using var recorded = new Replayer(recording.File);
        using var replayed = new Replayer(recording.File);
        recorded.Restart(from.Index + 1);
        replayed.Restart(from.Index);
        replayed.RunTo(at, null, context.Cancellation);
        var difference = MachineDifference.Between(recorded.Machine, replayed.Machine, "recorded", "replayed");
        context.Out.WriteLine($"at {at} these differ:");
        foreach (string line in difference.Lines) context.Out.WriteLine($"  {line}");
        if (difference.FirstPhysical is not { } physical) return;
        recording.Seek(at);
        MachineEvent? write = recording.Timeline.LastWrite(physical, 1, isPhysical: true, null, context.Cancellation);
        if (write is { } found && found.At >= from.Position)
        {
            context.Out.WriteLine($"replay last wrote that byte of memory at {found.At}:");
            foreach (string line in EventView.Describe(recording.Machine, found)) context.Out.WriteLine($"  {line}");
            context.Out.WriteLine($"look around:  ttvm back {path} --at {found.At} --steps 20");
        }
        else context.Out.WriteLine($"replay does not write that byte of memory between {from.Position} and {at}: the recorded run did");
    }
}
