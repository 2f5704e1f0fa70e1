using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Vmm.Cpu;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm exits FILE --at POSITION</c></summary>
internal static class ExitsVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        var from = new Option<string>("--from") { Description = "Count from this position on", HelpName = "POSITION", DefaultValueFactory = static _ => "start" };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("exits",
            "Counts the exits up to a position, by reason: privileged and sensitive instructions, port and chip accesses, faults and interrupts, at which a virtual machine "
            + "monitor takes over from the guest. It is what trap-and-emulate costs this guest.", """
            Examples:
              ttvm exits boot.ttvm
              ttvm exits boot.ttvm --from 40% --at 60%
              ttvm exits boot.ttvm --json | jq .counts.PortWrite
            """) { file, at, from, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Position begin = recording.Parse(parsed.GetValue(from)!), end = recording.Parse(parsed.GetValue(at)!);
            if (begin > end) throw CommandException.Usage($"--from {begin} lies behind --at {end}: exchange them");
            ulong[] before = Counts(recording, begin), after = Counts(recording, end);
            ulong[] counts = [.. after.Select((count, i) => count - before[i])];
            ulong instructions = end.InstructionCount - begin.InstructionCount;
            if (parsed.GetValue(json)) WriteJson(context.Out, begin, end, counts);
            else Write(context.Out, begin, end, counts, instructions);
            return ExitCode.Good;
        });
    }

    private static ulong[] Counts(OpenRecording recording, Position position)
    {
        recording.Seek(position);
        var counts = new ulong[(int)ExitReason.Count];
        for (int i = 0; i < counts.Length; i++) counts[i] = recording.Machine.Exits[(ExitReason)i];
        return counts;
    }

    private static void Write(TextWriter output, Position begin, Position end, ulong[] counts, ulong instructions)
    {
        ulong total = counts.Aggregate(0UL, (sum, count) => sum + count);
        output.WriteLine($"from {begin} to {end}: {Words.Count(instructions)} instructions, {Words.Count(total)} exits");
        output.WriteLine("reason                        count   per million instructions");
        foreach (int i in Enumerable.Range(0, counts.Length).Where(i => counts[i] > 0).OrderByDescending(i => counts[i]).ThenBy(i => i))
            output.WriteLine($"{(ExitReason)i,-22} {Words.Count(counts[i]),12} {counts[i] * 1e6 / Math.Max(1, instructions),14:F1}");
    }

    private static void WriteJson(TextWriter output, Position begin, Position end, ulong[] counts) => JsonText.WriteObject(output, json =>
    {
        json.WritePosition("from", begin);
        json.WritePosition("at", end);
        json.WriteStartObject("counts");
        for (int i = 0; i < counts.Length; i++) json.WriteNumber(((ExitReason)i).ToString(), counts[i]);
        json.WriteEndObject();
    });
}
