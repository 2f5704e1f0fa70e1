using System;
using System.CommandLine;
using System.IO;
using Cli.Demo;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Sandboxing;
using Replay.Packages;

namespace Cli.Verbs;

/// <summary><c>ttvm demo</c></summary>
internal static class DemoVerb
{
    private const string DefaultPath = "demo.ttvm", Maker = "ttvm demo";

    public static VerbCommand Create(CommandContext context)
    {
        var output = new Option<string>("--output", "-o")
        {
            Description = "The recording that it makes; an earlier demo's is replaced", HelpName = "FILE", DefaultValueFactory = static _ => DefaultPath,
        };
        var force = new Option<bool>("--force") { Description = "Replace any existing file" };
        var verb = new VerbCommand("demo",
            "Records a small kernel with a race in it (built into this program: nothing to compile or to fetch), verifies the recording, goes back from the error to "
            + "its cause, and says what to type next.", """
            Examples:
              ttvm demo
              ttvm demo -o /tmp/demo.ttvm
            """) { output, force };
        return verb.Confined(Confinement.None).Does(parsed =>
        {
            string path = parsed.GetValue(output)!;
            if (!parsed.GetValue(force) && File.Exists(path) && !IsOurs(path))
                throw CommandException.Usage($"{path} exists already and is not a demo's recording: choose another name with -o, or add --force");
            new DemoTour(context, path).Run();
            return ExitCode.Good;
        });
    }

    private static bool IsOurs(string path)
    {
        try
        {
            using RecordingFile recording = RecordingFile.Open(path);
            return recording.Manifest.RecordedFrom.Equals(Maker, StringComparison.Ordinal);
        }
        catch (RecordingFormatException)
        {
            return false;
        }
    }
}
