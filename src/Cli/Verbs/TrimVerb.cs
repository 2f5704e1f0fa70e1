using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Recording;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm trim FILE --from POSITION --to POSITION -o OUT</c></summary>
internal static class TrimVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var from = new Option<string>("--from")
        {
            Description = "Where the stretch begins; the checkpoint at or before it is taken", HelpName = "POSITION", DefaultValueFactory = static _ => "start",
        };
        var to = new Option<string>("--to") { Description = "Where it ends", HelpName = "POSITION", DefaultValueFactory = static _ => "end" };
        var output = new Option<string>("--output", "-o") { Description = "The recording to write", HelpName = "FILE", Required = true };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("trim",
            "Cuts a stretch of a recording out, as a smaller recording of its own. Positions keep their numbers. A stretch that does not begin at power-on carries no initrd, and no kernel "
            + "except one that is an ELF file, which has the guest's symbols. Embedded symbols and sources are kept.", """
            Examples:
              ttvm trim boot.ttvm --from 90% -o end-of-boot.ttvm
              ttvm trim boot.ttvm --from 1200000000 --to 1300000000 -o mount.ttvm
            """) { file, from, to, output, force };
        return verb.Does(parsed =>
        {
            string target = parsed.GetValue(output)!;
            bool overwrite = parsed.GetValue(force);
            string source = parsed.GetValue(file)!;
            CommandException.RequireFree(target, overwrite);
            OpenRecording.CheckOutput(source, target, context);
            using OpenRecording recording = OpenRecording.Open(source, context);
            Position first = recording.Parse(parsed.GetValue(from)!), last = recording.Parse(parsed.GetValue(to)!);
            if (first > last) throw CommandException.Usage($"--from {first} lies behind --to {last}");
            ProgressDisplay.Run("trimming", progress =>
            {
                RecordingTrimmer.Trim(recording.File, first, last, target, overwrite, 0, progress, context.Cancellation);
                return 0;
            });
            using OpenRecording trimmed = OpenRecording.Open(target, context);
            context.Out.WriteLine($"{target}: from position {trimmed.File.Start}{(trimmed.File.Start < first ? $" (the checkpoint before {first})" : "")} to {trimmed.File.End}, "
                + $"{Words.Plural(trimmed.File.Checkpoints.Count, "checkpoint")}, {Words.Size(trimmed.File.Sizes.FileSizeBytes)}");
            return ExitCode.Good;
        });
    }
}
