using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm recover NAME.ttvm.partial</c></summary>
internal static class RecoverVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var directory = new Argument<string>("DIRECTORY") { Description = "NAME.ttvm.partial, as a killed `ttvm record` leaves it" };
        var output = new Option<string?>("--output", "-o") { Description = "Where to write the recording; by default NAME.ttvm", HelpName = "FILE" };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("recover",
            "Makes a recording of what a killed or crashed `ttvm record` left behind: everything up to the last complete segment of its log.", """
            Examples:
              ttvm recover boot.ttvm.partial
              ttvm recover boot.ttvm.partial -o rescued.ttvm
            """) { directory, output, force };
        // The directory is removed.
        return verb.Writes(parsed => [parsed.GetValue(directory)!.TrimEnd('/'), Path.Combine(parsed.GetValue(directory)!, "log")]).Does(parsed =>
        {
            string from = parsed.GetValue(directory)!;
            string? to = parsed.GetValue(output);
            if (!Directory.Exists(from)) throw CommandException.BadFile($"{from} does not exist, or is not a directory");
            string target = to ?? from.TrimEnd('/').Replace(".partial", "", System.StringComparison.Ordinal);
            bool overwrite = parsed.GetValue(force);
            CommandException.RequireFree(target, overwrite);
            string written = ProgressDisplay.Run("recovering", progress => RecordingFile.Recover(from, to, overwrite, progress));
            using OpenRecording recording = OpenRecording.Open(written, context);
            context.Out.WriteLine($"{written}: {Words.Count(recording.File.InstructionCount)} instructions, {Words.Size(recording.File.Sizes.FileSizeBytes)}");
            return ExitCode.Good;
        });
    }
}
