using System.Collections.Generic;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Vmm.Cpu;

namespace Cli.Verbs;

/// <summary><c>ttvm disasm FILE --at POSITION</c></summary>
internal static class DisasmVerb
{
    private const int MaximumCount = 1_000_000;

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var address = new Option<string>("--address", "-a")
        {
            Description = "Where to begin: hexadecimal, or a register with an offset", HelpName = "ADDRESS", DefaultValueFactory = static _ => "rip",
        };
        var count = new Option<string>("--count", "-n") { Description = "Number of instructions", HelpName = "N", DefaultValueFactory = static _ => "10" };
        var bits = new Option<int?>("--bits") { Description = "Decode as 16, 32 or 64-bit code, instead of what the vCPU executes", HelpName = "BITS" };
        bits.AcceptOnlyFromAmong("16", "32", "64");
        Option<bool> json = SharedOptions.Json();
        Option<string> engine = SharedOptions.Engine();
        var verb = new VerbCommand("disasm", "Disassembles guest memory at a position, in Intel's syntax. => marks the instruction that executes next.", """
            Examples:
              ttvm disasm boot.ttvm --at 50%
              ttvm disasm boot.ttvm --at 50% --address 0xffffffff81000000 --count 40
            """) { file, at, cpu, address, count, bits, json, engine };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            recording.Seek(parsed.GetValue(at)!);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            ulong start = NumberSyntax.ParseAddress(parsed.GetValue(address)!, "--address", vcpu.State);
            int lineCount = NumberSyntax.ParseNumber(parsed.GetValue(count)!, "--count", MaximumCount);
            List<DisassemblyLine> lines = Disassembly.Read(recording.Machine, vcpu, start, lineCount, parsed.GetValue(bits));
            if (parsed.GetValue(json)) WriteJson(context, recording, vcpu, lines);
            else
            {
                foreach (DisassemblyLine line in lines)
                    context.Out.WriteLine($"{(line.Address == vcpu.State.Rip ? "=>" : "  ")} {line.Address:x16}  {line.Bytes,-22} {line.Text}");
            }
            return ExitCode.Good;
        });
    }

    private static void WriteJson(CommandContext context, OpenRecording recording, Vcpu vcpu, List<DisassemblyLine> lines) =>
        JsonText.WriteObject(context.Out, json =>
        {
            json.WritePosition("position", recording.Timeline.Position);
            json.WriteNumber("cpu", vcpu.Index);
            json.WriteStartArray("instructions");
            foreach (DisassemblyLine line in lines)
            {
                json.WriteStartObject();
                json.WriteHexadecimal("address", line.Address);
                json.WriteString("bytes", line.Bytes);
                json.WriteString("text", line.Text);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
}
