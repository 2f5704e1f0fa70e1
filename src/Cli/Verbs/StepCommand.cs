using System.Collections.Generic;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Timelines;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary>What <c>back</c> and <c>forward</c> share.</summary>
internal static class StepCommand
{
    /// <summary>Up to so many steps are listed one by one.</summary>
    private const ulong ListedSteps = 50;

    public static VerbCommand Create(CommandContext context, bool isBack, string description, string examples)
    {
        string name = isBack ? "back" : "forward";
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        var steps = new Option<string>("--steps", "-n") { Description = "How many", HelpName = "N", DefaultValueFactory = static _ => "1" };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand(name, description, examples) { file, at, steps, json };
        return verb.Does(parsed =>
        {
            string path = parsed.GetValue(file)!;
            ulong count = NumberSyntax.ParseCount(parsed.GetValue(steps)!, "--steps");
            using OpenRecording recording = OpenRecording.Open(path, context);
            Position from = recording.Seek(parsed.GetValue(at)!);
            TimelineStop stop = ProgressDisplay.Run(isBack ? "stepping back" : "stepping", progress => isBack
                ? recording.Timeline.StepBack(count, progress, context.Cancellation)
                : recording.Timeline.StepForward(count, progress, context.Cancellation));
            if (parsed.GetValue(json)) WriteJson(context, recording, stop);
            else Write(context, recording, path, from, stop, count);
            return ExitCode.Good;
        });
    }

    private static void Write(CommandContext context, OpenRecording recording, string path, Position from, TimelineStop stop, ulong count)
    {
        if (count <= ListedSteps) ListPlaces(context, recording, from, stop.Position);
        else context.Out.WriteLine(PlaceView.Line(recording.Machine));
        if (stop.Reason == TimelineStopReason.Start) context.Out.WriteLine("this is the start of the recording");
        if (stop.Hole is { } hole)
        {
            context.Out.WriteLine(hole.ToString());
            // It has been told of.
            recording.File.Holes.TakePassed();
        }
        if (stop.Reason == TimelineStopReason.End) context.Out.WriteLine("this is the end of the recording");
        context.Out.WriteLine();
        context.Out.WriteLine($"look around:  ttvm regs {path} --at {stop.Position}");
    }

    // Everything between the two positions, in the order of time; => marks where the command ended up.
    private static void ListPlaces(CommandContext context, OpenRecording recording, Position from, Position to)
    {
        Timeline timeline = recording.Timeline;
        Position last = from > to ? from : to;
        var lines = new List<(Position At, string Text)>();
        timeline.Seek(from < to ? from : to);
        while (true)
        {
            lines.Add((timeline.Position, PlaceView.Line(timeline.Machine)));
            if (timeline.Position >= last) break;
            timeline.StepForward();
        }
        timeline.Seek(to);
        foreach ((Position at, string text) in lines) context.Out.WriteLine($"{(at == to ? "=>" : "  ")} {text}");
    }

    private static void WriteJson(CommandContext context, OpenRecording recording, TimelineStop stop) => JsonText.WriteObject(context.Out, json =>
    {
        json.WriteString("reason", stop.Reason.ToString());
        PlaceView.Write(json, recording.Machine);
    });
}
