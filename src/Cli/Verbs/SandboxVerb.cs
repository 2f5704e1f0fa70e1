using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Sandboxing;

namespace Cli.Verbs;

/// <summary><c>ttvm sandbox FILE</c></summary>
internal static class SandboxVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string[]> symbols = SharedOptions.Symbols();
        var output = new Option<string?>("--output", "-o") { Description = "A file that a verb would write", HelpName = "FILE" };
        var verb = new VerbCommand("sandbox",
            "Shows what a verb that reads a recording may touch on this machine, and tries what it may not: to read, write and change other files, to start a program, to connect, "
            + "to look into another process, and more. Exit code 0 if all that is denied, 1 if not.", """
            Examples:
              ttvm sandbox boot.ttvm
              ttvm sandbox boot.ttvm --symbols vmlinux -o small.ttvm
              ttvm sandbox boot.ttvm --no-sandbox
            """) { file, symbols, output };
        return verb.Does(parsed =>
        {
            string path = parsed.GetValue(file)!;
            OpenRecording.Open(path, context).Dispose();
            ManifestBuilder.Of(verb, parsed).Write(context.Out);
            return SandboxTrial.Run(path, context.Out) ? ExitCode.Good : ExitCode.Failed;
        });
    }
}
