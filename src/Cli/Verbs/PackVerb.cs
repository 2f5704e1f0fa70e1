using System.CommandLine;
using System.Globalization;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Dap.Sessions;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm pack FILE|DIRECTORY -o OUT [--symbols F ...] [--sources DIR] [--strip-images]</c></summary>
internal static class PackVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var input = new Argument<string>("FILE") { Description = "The recording, or a directory that `ttvm unpack` wrote" };
        Option<string[]> symbols = SharedOptions.Symbols(), map = SharedOptions.SourceMap();
        var output = new Option<string>("--output", "-o") { Description = "The recording to write", HelpName = "FILE", Required = true };
        var sources = new Option<string?>("--sources") { Description = "Look for sources below this directory, too", HelpName = "DIR" };
        var strip = new Option<bool>("--strip-images")
        {
            Description = "Leave out the initrd, and the kernel unless it is an ELF file, which has the guest's symbols",
        };
        var distance = new Option<string>("--checkpoint-distance")
        {
            Description = "Leave checkpoints out until they are so many instructions apart: smaller, but going back takes longer; 0: keep all; end: keep only the first",
            HelpName = "N|end", DefaultValueFactory = static _ => RecordingCompactor.UsualDistance.ToString(CultureInfo.InvariantCulture),
        };
        var encrypt = new Option<bool>("--encrypt") { Description = "Encrypt it, with a passphrase as `ttvm encrypt` takes it" };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("pack",
            "Writes a recording as small as it gets, to share it: pages that nothing needs are dropped, pages that an image has are not stored again, checkpoints are kept as far apart as "
            + "going anywhere stays quick, all is compressed well. With --symbols "
            + "or --sources it debugs at source level where there is nothing else, and named positions (FILE.bookmarks.json) travel along. A directory is put together again, "
            + "byte for byte.", """
            Examples:
              ttvm pack boot.ttvm -o boot-small.ttvm
              ttvm pack boot.ttvm -o boot-tiny.ttvm --checkpoint-distance end
              ttvm pack demo.ttvm -o demo-to-share.ttvm --symbols demo64.elf --sources guests/demo64
              ttvm pack boot.ttvm.parts -o boot.ttvm
              ttvm pack boot.ttvm -o boot-secret.ttvm --encrypt
            """) { input, output, symbols, map, sources, distance, strip, encrypt, force };
        return verb.EmbedsSources().Does(parsed =>
        {
            string from = parsed.GetValue(input)!, to = parsed.GetValue(output)!;
            bool overwrite = parsed.GetValue(force);
            if (File.Exists(to) && (!overwrite || Path.GetFullPath(to) == Path.GetFullPath(from)))
                throw CommandException.Usage($"{to} exists already: choose another name with -o{(Path.GetFullPath(to) == Path.GetFullPath(from) ? "" : ", or add --force")}");
            string[] paths = parsed.GetValue(symbols) ?? [];
            string? folder = parsed.GetValue(sources);
            bool strips = parsed.GetValue(strip);
            ulong apart = parsed.GetValue(distance)! switch { "end" => ulong.MaxValue, { } count => NumberSyntax.ParseCount(count, "--checkpoint-distance") };
            bool encrypts = parsed.GetValue(encrypt);
            // What is missing is asked for before the work, not behind it.
            if (encrypts) context.Passphrases.For(to, isNew: true);
            else OpenRecording.CheckOutput(from, to, context);
            if (File.Exists(Path.Combine(from, "manifest.json")) && !from.TrimEnd('/').EndsWith(".partial", System.StringComparison.Ordinal))
            {
                if (paths.Length > 0 || folder is not null || strips || parsed.GetResult(distance) is { Implicit: false })
                    throw CommandException.Usage("a directory is packed as it is: pack the recording once more for other options");
                RecordingFolder.Pack(from, to, overwrite);
                if (encrypts) EncryptVerb.Encrypt(to, to, context);
                context.Out.WriteLine($"{to}: {Words.Size(new FileInfo(to).Length)}");
                return ExitCode.Good;
            }
            if (folder is not null && !Directory.Exists(folder)) throw CommandException.BadFile($"{folder} does not exist, or is not a directory");
            string embedded = "";
            using (OpenRecording recording = OpenRecording.Open(from, context))
                ProgressDisplay.Run("packing", progress =>
                {
                    RecordingCompactor.Compact(recording.File, to, overwrite, strips, apart, progress, context.Cancellation);
                    return 0;
                });
            string named = BookmarkFile.PathOf(from);
            byte[]? bookmarks = File.Exists(named) ? File.ReadAllBytes(named) : null;
            long images;
            using (OpenRecording packed = OpenRecording.Open(to, context))
            {
                if (paths.Length > 0 || folder is not null) embedded = $", {SourceEmbedding.Embed(packed, to, paths, parsed.GetValue(map), folder, bookmarks, context)}";
                else if (bookmarks is not null) RecordingEmbedder.AddBookmarks(packed.File, to, bookmarks);
                images = packed.File.Sizes.ImageSizeBytes;
            }
            if (encrypts) EncryptVerb.Encrypt(to, to, context);
            long size = new FileInfo(to).Length;
            context.Out.WriteLine($"{to}: {Words.Size(size)} (it was {Words.Size(new FileInfo(from).Length)}), images {Words.Size(images)} of that{embedded}");
            return ExitCode.Good;
        });
    }
}
