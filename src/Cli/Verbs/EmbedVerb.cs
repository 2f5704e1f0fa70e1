using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;

namespace Cli.Verbs;

/// <summary><c>ttvm embed FILE --symbols F ... [-o OUT]</c></summary>
internal static class EmbedVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string[]> symbols = SharedOptions.Symbols(), map = SharedOptions.SourceMap();
        var output = new Option<string?>("--output", "-o") { Description = "Write it there; by default FILE is replaced", HelpName = "FILE" };
        Option<bool> force = SharedOptions.Force();
        var verb = new VerbCommand("embed",
            "Puts symbol files into a recording, and every source on this machine that they name: it then debugs at source level where there is nothing else. "
            + "Sources of an ELF kernel in the recording are put in, too. What was embedded before is replaced; the recording's identity stays.", """
            Examples:
              ttvm embed boot.ttvm --symbols vmlinux
              ttvm embed demo.ttvm -o demo-with-sources.ttvm
              ttvm embed boot.ttvm --symbols vmlinux --source-map /build/linux=$HOME/src/linux
            """) { file, symbols, map, output, force };
        return verb.EmbedsSources().Writes(parsed => [parsed.GetValue(output) ?? parsed.GetValue(file)!]).Does(parsed =>
        {
            string from = parsed.GetValue(file)!;
            string to = parsed.GetValue(output) ?? from;
            CommandException.RequireFree(to, to == from || parsed.GetValue(force));
            OpenRecording.CheckOutput(from, to, context);
            using OpenRecording recording = OpenRecording.Open(from, context);
            string what = SourceEmbedding.Embed(recording, to, parsed.GetValue(symbols) ?? [], parsed.GetValue(map), null, null, context);
            context.Out.WriteLine($"{to}: {Words.Size(new FileInfo(to).Length)}: {what}");
            return ExitCode.Good;
        });
    }
}
