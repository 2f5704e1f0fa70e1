using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm unpack FILE -o DIR</c></summary>
internal static class UnpackVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var output = new Option<string>("--output", "-o") { Description = "The directory to write; it does not exist yet", HelpName = "DIR", Required = true };
        var verb = new VerbCommand("unpack",
            "Writes the parts of a recording into a directory: the manifest, the images, the log, the checkpoints, the pages, and a listing to read (listing.txt). `ttvm pack DIR` makes the "
            + "same file of it again. What the parts hold, docs/TRACE_FORMAT.md says.", """
            Examples:
              ttvm unpack boot.ttvm -o boot.ttvm.parts
              ttvm unpack boot.ttvm -o parts && less parts/listing.txt
            """) { file, output };
        return verb.Does(parsed =>
        {
            string directory = parsed.GetValue(output)!;
            if (Directory.Exists(directory) || File.Exists(directory)) throw CommandException.Usage($"{directory} exists already: choose another name with -o");
            OpenRecording.CheckOutput(parsed.GetValue(file)!, directory, context);
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            ProgressDisplay.Run("unpacking", progress =>
            {
                RecordingFolder.Unpack(recording.File, directory, progress);
                return 0;
            });
            context.Out.WriteLine($"{directory}: {recording.File.Manifest.Parts.Count} parts, {PathOfListing(directory)} to read");
            return ExitCode.Good;
        });
    }

    private static string PathOfListing(string directory) => Path.Combine(directory, RecordingFolder.ListingName);
}
