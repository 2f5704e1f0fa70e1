using System.CommandLine;
using Cli.Comparison;
using Cli.Hosting;
using Cli.Parsing;

namespace Cli.Verbs;

/// <summary><c>ttvm diff A B</c></summary>
internal static class DiffVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var first = new Argument<string>("A") { Description = "A recording" };
        var second = new Argument<string>("B") { Description = "Another one" };
        Option<string[]> symbols = SharedOptions.Symbols();
        var secondSymbols = new Option<string[]>("--symbols-b") { Description = "The same for B; by default those for A", HelpName = "FILE" };
        var reach = new Option<string>("--reach")
        {
            Description = "How many instructions are compared one by one", HelpName = "N", DefaultValueFactory = static _ => "20,000,000",
        };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("diff",
            "Shows where two recordings part: the machine and its images, the consoles' text, the inputs, the turns of the vCPUs, the functions called, "
            + "and the first instruction that differs, "
            + "with both sides' registers and what led to it. Exit code 0 if they are the same run, 1 if not.", """
            Recordings that begin with the same state are compared by the digests of their checkpoints, which costs little however long they are; then by halves; then instruction by
            instruction. A state may differ long before anything else is executed, as it does from the start on for another build: instructions, turns and calls are compared from the last
            common checkpoint with the same registers.

            Examples:
              ttvm diff good.ttvm bad.ttvm
              ttvm diff bug.ttvm bug.rerun.ttvm --json
              ttvm diff old.ttvm new.ttvm --symbols vmlinux.old --symbols-b vmlinux.new --reach 50,000,000
            """) { first, second, symbols, secondSymbols, reach, json };
        return verb.Does(parsed =>
        {
            ulong count = NumberSyntax.ParseCount(parsed.GetValue(reach)!, "--reach");
            using OpenRecording a = OpenRecording.Open(parsed.GetValue(first)!, context), b = OpenRecording.Open(parsed.GetValue(second)!, context);
            OpenRecording.RequireWhole(a.File, parsed.GetValue(first)!, "diff");
            OpenRecording.RequireWhole(b.File, parsed.GetValue(second)!, "diff");
            if (a.File.Start != b.File.Start)
                throw CommandException.Usage($"they begin at different positions, {a.File.Start} and {b.File.Start}: compare whole recordings, or stretches that begin alike");
            string[]? files = parsed.GetValue(symbols), otherFiles = parsed.GetValue(secondSymbols) is { Length: > 0 } named ? named : files;
            RecordingComparison found = RecordingComparison.Of(context, a, b, (files, otherFiles), count);
            if (parsed.GetValue(json)) ComparisonJson.Write(context.Out, found, a, b);
            else new ComparisonText(context.Out, a.File.Path, b.File.Path).Write(found);
            return found.IsSame ? ExitCode.Good : ExitCode.Failed;
        });
    }
}
