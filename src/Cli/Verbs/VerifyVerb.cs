using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Verification;

namespace Cli.Verbs;

/// <summary><c>ttvm verify FILE...</c></summary>
internal static class VerifyVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var files = new Argument<string[]>("FILE") { Description = "Recordings", Arity = ArgumentArity.OneOrMore };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("verify",
            "Replays recordings completely and compares every hash, input, output and state digest. Exit code 0 only if all are as recorded; 1 if a replay differs; "
            + "3 if a file is damaged.", """
            Examples:
              ttvm verify boot.ttvm
              ttvm verify traces/*.ttvm
            """) { files, json };
        return verb.Does(parsed =>
        {
            int worst = ExitCode.Good;
            foreach (string path in parsed.GetValue(files)!) worst = System.Math.Max(worst, Verify(path, parsed.GetValue(json), context));
            return worst;
        });
    }

    private static int Verify(string path, bool json, CommandContext context)
    {
        using OpenRecording recording = OpenRecording.Open(path, context);
        VerificationReport report = ProgressDisplay.Run($"verifying {path}", progress =>
            RecordingVerifier.Verify(recording.File, 0, progress, context.Cancellation));
        if (json) WriteJson(path, report, context);
        else if (report.IsGood)
        {
            context.Out.WriteLine($"{path}: good. Replayed {Words.Count(report.ReplayedInstructions)} instructions; "
                + $"{Words.Plural(report.DigestCount, "digest")} and {Words.Plural(report.InputCount, "input")} are as recorded");
        }
        else
        {
            string where = report.FirstBad is { } position ? $" (first seen at {position}; `ttvm bisect {path}` looks closer)" : "";
            context.Error.WriteLine($"ttvm: {path} does not verify: {report.Problem}{where}");
        }
        if (report.IsGood) return ExitCode.Good;
        return report.FirstBad is null ? ExitCode.BadFile : ExitCode.Failed;
    }

    private static void WriteJson(string path, VerificationReport report, CommandContext context) => JsonText.WriteObject(context.Out, json =>
    {
        json.WriteString("file", path);
        json.WriteBoolean("good", report.IsGood);
        if (report.FirstBad is { } position) json.WritePosition("firstBad", position);
        else json.WriteNull("firstBad");
        json.WriteString("problem", report.Problem);
        json.WriteNumber("digestCount", report.DigestCount);
        json.WriteNumber("inputCount", report.InputCount);
        json.WriteNumber("replayedInstructions", report.ReplayedInstructions);
    });
}
