using System;
using System.CommandLine;
using System.Diagnostics;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Replaying;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm replay FILE [--to POSITION]</c></summary>
internal static class ReplayVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var to = new Option<string>("--to") { Description = "How far: 123456, 123456:2, 50%, start or end", HelpName = "POSITION", DefaultValueFactory = static _ => "end" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Do not show what the guest prints" };
        var verb = new VerbCommand("replay",
            "Runs a recording again from its start, showing what the guest printed. Every input is checked against the log; `ttvm verify` checks digests as well.", """
            Examples:
              ttvm replay boot.ttvm
              ttvm replay boot.ttvm --to 30% --quiet
            """) { file, to, quiet };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Position target = recording.Parse(parsed.GetValue(to)!);
            bool isQuiet = parsed.GetValue(quiet);
            using GuestConsole? console = isQuiet ? null : new GuestConsole(Console.OpenStandardOutput());
            using var replayer = new Replayer(recording.File, console);
            var watch = Stopwatch.StartNew();
            if (isQuiet)
            {
                ProgressDisplay.Run("replaying", progress =>
                {
                    replayer.RunTo(target, progress, context.Cancellation);
                    return 0;
                });
            }
            else replayer.RunTo(target, null, context.Cancellation);
            watch.Stop();
            Summarize(context, console, replayer, watch.Elapsed);
            return ExitCode.Good;
        });
    }

    private static void Summarize(CommandContext context, GuestConsole? console, Replayer replayer, TimeSpan elapsed)
    {
        console?.Flush();
        if (console is { IsAtLineStart: false }) context.Out.WriteLine();
        ulong count = replayer.Machine.InstructionCount;
        context.Error.WriteLine($"ttvm: replayed {Words.Count(count)} instructions in {Words.Duration(elapsed)}, {Words.Rate(count, elapsed)}");
        context.Error.WriteLine($"ttvm: now at {PlaceView.Line(replayer.Machine)}");
    }
}
