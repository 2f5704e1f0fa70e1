using System;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform;

namespace Cli.Verbs;

/// <summary><c>ttvm mem FILE --at POSITION --address ADDRESS</c></summary>
internal static class MemVerb
{
    private const int MaximumLength = 16 << 20;

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var address = new Option<string>("--address", "-a")
        {
            Description = $"Linear address: {AddressLookup.Syntax}", HelpName = "ADDRESS", Required = true,
        };
        var physical = new Option<bool>("--physical", "-p") { Description = "The address is guest-physical" };
        var length = new Option<string>("--length", "-n") { Description = "Number of bytes", HelpName = "BYTES", DefaultValueFactory = static _ => "128" };
        Option<string[]> symbols = SharedOptions.Symbols();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("mem",
            "Shows guest memory at a position, in hexadecimal and as characters. ?? is where nothing is mapped, or where a chip and not memory is.", """
            Examples:
              ttvm mem boot.ttvm --at 50% --address rsp
              ttvm mem boot.ttvm --at end --address 0xffffffff81000000 --length 64
              ttvm mem boot.ttvm --at end --address linux_banner --length 64
              ttvm mem boot.ttvm --at end --address 0xb8000 --physical --length 160
            """) { file, at, cpu, address, physical, length, symbols, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            recording.Seek(parsed.GetValue(at)!);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            ulong start = new AddressLookup(recording, parsed.GetValue(symbols)).Parse(parsed.GetValue(address)!, "--address", recording.Machine, vcpu);
            int count = NumberSyntax.ParseNumber(parsed.GetValue(length)!, "--length", MaximumLength);
            int[] bytes = Read(recording.Machine, vcpu, start, count, parsed.GetValue(physical));
            if (parsed.GetValue(json)) WriteJson(context, recording.Machine, start, bytes, parsed.GetValue(physical));
            else HexDump.Write(context.Out, start, count, linear => bytes[(int)(linear - start)]);
            return ExitCode.Good;
        });
    }

    // One value a byte; -1 where there is no memory.
    private static int[] Read(Machine machine, Vcpu vcpu, ulong start, int count, bool isPhysical)
    {
        var bytes = new int[count];
        Span<byte> one = stackalloc byte[1];
        for (int i = 0; i < count; i++)
        {
            ulong address = start + (ulong)i;
            ulong? place = isPhysical ? address : new GuestView(machine, vcpu).Translate(address);
            bytes[i] = -1;
            if (place is not { } at || machine.Memory.RamOffset(at) < 0) continue;
            machine.Memory.Read(new GuestPhysicalAddress(at), one);
            bytes[i] = one[0];
        }
        return bytes;
    }

    private static void WriteJson(CommandContext context, Machine machine, ulong start, int[] bytes, bool isPhysical) =>
        JsonText.WriteObject(context.Out, json =>
        {
            json.WritePosition("position", machine.Position);
            json.WriteHexadecimal("address", start);
            json.WriteBoolean("physical", isPhysical);
            json.WriteStartArray("bytes");
            foreach (int value in bytes)
            {
                if (value < 0) json.WriteNullValue();
                else json.WriteNumberValue(value);
            }
            json.WriteEndArray();
        });
}
