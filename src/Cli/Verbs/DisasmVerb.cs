using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Programs;
using Introspection.State;
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
            Description = $"Where to begin: {AddressLookup.Syntax}", HelpName = "ADDRESS", DefaultValueFactory = static _ => "rip",
        };
        var count = new Option<string>("--count", "-n") { Description = "Number of instructions", HelpName = "N", DefaultValueFactory = static _ => "10" };
        var bits = new Option<int?>("--bits") { Description = "Decode as 16, 32 or 64-bit code, instead of what the vCPU executes", HelpName = "BITS" };
        bits.AcceptOnlyFromAmong("16", "32", "64");
        Option<string[]> symbols = SharedOptions.Symbols();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("disasm", "Disassembles guest memory at a position, in Intel's syntax, with the names of functions; one that ends with ? was "
            + "guessed from the code. => marks the instruction that executes next.", """
            Examples:
              ttvm disasm boot.ttvm --at 50%
              ttvm disasm boot.ttvm --at 50% --address 0xffffffff81000000 --count 40
              ttvm disasm boot.ttvm --at 50% --address vfs_read+0x40
            """) { file, at, cpu, address, count, bits, symbols, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(symbols), null);
            recording.Seek(parsed.GetValue(at)!);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            ulong start = new AddressLookup(recording, parsed.GetValue(symbols)).Parse(parsed.GetValue(address)!, "--address", recording.Machine, vcpu);
            int lineCount = NumberSyntax.ParseNumber(parsed.GetValue(count)!, "--count", MaximumCount);
            List<DisassemblyLine> lines = Disassembly.Read(recording.Machine, vcpu, start, lineCount, parsed.GetValue(bits));
            SymbolSet names = programs.At(new GuestView(recording.Machine, vcpu));
            if (parsed.GetValue(json)) WriteJson(context, recording, vcpu, lines, names);
            else Write(context.Out, vcpu, lines, names);
            return ExitCode.Good;
        });
    }

    // The function's name stands above its first instruction that is shown.
    private static void Write(TextWriter output, Vcpu vcpu, List<DisassemblyLine> lines, SymbolSet names)
    {
        string? function = null;
        foreach (DisassemblyLine line in lines)
        {
            string? name = names.NameOf(line.Linear, out ulong offset);
            if (name is not null && name != function) output.WriteLine(offset == 0 ? $"{name}:" : $"{name}+0x{offset:x}:");
            function = name;
            output.WriteLine($"{(line.Address == vcpu.State.Rip ? "=>" : "  ")} {line.Address:x16}  {line.Bytes,-22} {line.Text}");
        }
    }

    private static void WriteJson(CommandContext context, OpenRecording recording, Vcpu vcpu, List<DisassemblyLine> lines, SymbolSet names) =>
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
                if (names.NameOf(line.Linear, out ulong offset) is { } name)
                {
                    json.WriteString("function", name);
                    json.WriteNumber("offset", offset);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
}
