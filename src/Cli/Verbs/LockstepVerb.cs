using System;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Lockstep;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Packages;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm lockstep FILE</c></summary>
internal static class LockstepVerb
{
    private const string Blocks = "interp", Steps = "interp:step", Restores = "interp:restore", Translated = "translate",
        TranslatedOnes = "translate:1", TranslatedTraces = "translate:traces", TranslatedRestores = "translate:restore";
    private static readonly string[] s_ways = [Blocks, Steps, Restores, Translated, TranslatedOnes, TranslatedTraces, TranslatedRestores];

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var first = Side("--a", "One way to run it", Blocks);
        var second = Side("--b", "The other way; `all`: each of them in turn", "all");
        second.AcceptOnlyFromAmong([.. s_ways, "all"]);
        var interval = new Option<string>("--every") { Description = "Compare state digests every N instructions", HelpName = "N", DefaultValueFactory = static _ => "1000000" };
        var from = new Option<string>("--from") { Description = "Where to begin (at the checkpoint before it)", HelpName = "POSITION", DefaultValueFactory = static _ => "start" };
        var to = new Option<string>("--to") { Description = "Where to end", HelpName = "POSITION", DefaultValueFactory = static _ => "end" };
        var seed = new Option<ulong>("--seed") { Description = "For the places at which interp:restore restores", HelpName = "N", DefaultValueFactory = static _ => 1UL };
        var verb = new VerbCommand("lockstep",
            "Runs a recording in two ways side by side, compares their states, and finds the first instruction after which they differ. Exit code 1 if they do.", """
            Ways:
              interp             the interpreter in blocks of instructions, as it runs normally
              interp:step        the interpreter, one instruction at a time
              interp:restore     the interpreter, with snapshots taken and restored at random places
              translate          the translator, from the first execution of a block on
              translate:1        the same with blocks of one instruction
              translate:traces   the translator, from the second execution of a block on, with as many traces as there can be
              translate:restore  the translator, with snapshots taken and restored at random places

            Examples:
              ttvm lockstep boot.ttvm
              ttvm lockstep boot.ttvm --b interp:step --from 50% --to 60% --every 10000
            """) { file, first, second, interval, from, to, seed };
        return verb.Does(parsed =>
        {
            string path = parsed.GetValue(file)!, nameA = parsed.GetValue(first)!, nameB = parsed.GetValue(second)!;
            ulong every = Math.Max(1, NumberSyntax.ParseCount(parsed.GetValue(interval)!, "--every"));
            using OpenRecording recording = OpenRecording.Open(path, context);
            OpenRecording.RequireWhole(recording.File, path, "lockstep");
            Position begin = recording.Parse(parsed.GetValue(from)!), end = recording.Parse(parsed.GetValue(to)!);
            if (begin > end) throw CommandException.Usage($"--from {begin} lies behind --to {end}: exchange them");
            bool good = true;
            foreach (string name in nameB == "all" ? s_ways[1..] : (string[])[nameB])
            {
                using LockstepSide a = Open(nameA, recording.File, parsed.GetValue(seed)), b = Open(name, recording.File, parsed.GetValue(seed));
                var run = new LockstepRun(a, b, every);
                LockstepDifference? difference = ProgressDisplay.Run($"{a.Name} beside {b.Name}", progress => run.Run(begin, end, progress, context.Cancellation));
                good &= difference is null;
                if (difference is null) context.Out.WriteLine($"{a.Name} and {b.Name} agree from {begin} to {end} ({Words.Plural(run.ComparisonCount, "comparison")})");
                else Write(context.Out, path, a, b, difference, parsed.GetValue(seed));
            }
            return good ? ExitCode.Good : ExitCode.Failed;
        });
    }

    public static void Write(TextWriter output, string path, LockstepSide a, LockstepSide b, LockstepDifference difference, ulong seed)
    {
        switch (difference.Precision)
        {
            case LockstepPrecision.Transition:
                output.WriteLine($"{a.Name} and {b.Name} differ after position {difference.Before}:");
                output.WriteLine($"  {difference.Instruction}");
                break;
            case LockstepPrecision.GeneratedBlock:
                output.WriteLine($"{a.Name} and {b.Name} differ behind the block of generated code that begins at position {difference.Before} or right behind it; interpreted they agree:");
                output.WriteLine($"  {difference.Instruction}");
                break;
            default:
                output.WriteLine($"{a.Name} and {b.Name} differ somewhere between {difference.Before} and {difference.After}; run from a snapshot in between they agree, "
                    + "so that something must hide in a cache");
                break;
        }
        foreach (string line in difference.Difference.Lines) output.WriteLine($"  {line}");
        output.WriteLine();
        output.WriteLine($"repeat:       ttvm lockstep {path} --a {a.Name} --b {b.Name} --seed {seed} --from {difference.Before} --to {difference.After}");
        if (difference.Precision == LockstepPrecision.GeneratedBlock) output.WriteLine($"look at it:   ttvm block {path} --at {difference.Before}");
        output.WriteLine($"look around:  ttvm back {path} --at {difference.Before} --steps 20");
    }

    private static Option<string> Side(string name, string description, string standard)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "WAY", DefaultValueFactory = _ => standard };
        if (standard != "all") option.AcceptOnlyFromAmong(s_ways);
        return option;
    }

    private static LockstepSide Open(string name, RecordingFile recording, ulong seed) => name switch
    {
        Blocks => new BlockSide(recording, name, EngineKind.Interpreter),
        Steps => new SingleStepSide(recording),
        Restores => new RestoringSide(recording, name, EngineKind.Interpreter, seed),
        Translated => new BlockSide(recording, name, EngineKind.Translator),
        TranslatedOnes => new BlockSide(recording, name, EngineKind.TranslatorOfSingleInstructions),
        TranslatedTraces => new BlockSide(recording, name, EngineKind.TranslatorOfTraces),
        _ => new RestoringSide(recording, name, EngineKind.Translator, seed),
    };
}
