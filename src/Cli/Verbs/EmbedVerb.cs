using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Programs;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm embed FILE --symbols F ... [-o OUT]</c></summary>
internal static class EmbedVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string[]> symbols = SharedOptions.Symbols(), map = SharedOptions.SourceMap();
        var output = new Option<string?>("--output", "-o") { Description = "Write it there; by default FILE is replaced", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Replace an existing file" };
        var verb = new VerbCommand("embed",
            "Puts symbol files into a recording, and every source on this machine that they name: it then debugs at source level where there is nothing else. "
            + "Sources of an ELF kernel in the recording are put in, too. What was embedded before is replaced; the recording's identity stays.", """
            Examples:
              ttvm embed boot.ttvm --symbols vmlinux
              ttvm embed demo.ttvm -o demo-with-sources.ttvm
              ttvm embed boot.ttvm --symbols vmlinux --source-map /build/linux=$HOME/src/linux
            """) { file, symbols, map, output, force };
        return verb.Does(parsed =>
        {
            string from = parsed.GetValue(file)!;
            string to = parsed.GetValue(output) ?? from;
            if (to != from && File.Exists(to) && !parsed.GetValue(force)) throw CommandException.Usage($"{to} exists already: choose another name with -o, or add --force");
            string[] paths = parsed.GetValue(symbols) ?? [];
            var named = new List<FileToEmbed>();
            foreach (string path in paths)
            {
                if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist");
                named.Add(new FileToEmbed(Path.GetFileName(path), path));
            }
            using OpenRecording recording = OpenRecording.Open(from, context);
            using GuestPrograms programs = recording.LoadSymbols(paths, parsed.GetValue(map));
            var sources = new Dictionary<string, FileToEmbed>(StringComparer.Ordinal);
            int missing = 0;
            foreach (string compilerPath in programs.AllSources())
            {
                if (programs.Sources.Find(compilerPath) is { } here) sources.TryAdd(compilerPath, new FileToEmbed(compilerPath, here));
                else missing++;
            }
            ProgressDisplay.Run("embedding", progress =>
            {
                RecordingEmbedder.Embed(recording.File, to, named, [.. sources.Values], progress);
                return 0;
            });
            context.Out.WriteLine($"{to}: {Words.Plural(named.Count, "symbol file")} and {Words.Plural(sources.Count, "source")}, {Words.Size(new FileInfo(to).Length)}"
                + (missing > 0 ? $"; {Words.Plural(missing, "source")} not on this machine (--source-map says where they are)" : ""));
            return ExitCode.Good;
        });
    }
}
