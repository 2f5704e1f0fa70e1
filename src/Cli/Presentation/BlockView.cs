using System;
using System.Collections.Generic;
using System.IO;
using Iced.Intel;
using Vmm.Translation;

namespace Cli.Presentation;

/// <summary>Guest instructions on the left, host code on the right.</summary>
internal static class BlockView
{
    private const int GuestWidth = 58;

    public static void Write(TextWriter output, BlockListing listing, bool showsBehind)
    {
        List<(int Offset, string Text)> host = Host(listing);
        int next = 0;
        output.WriteLine($"{"guest",-GuestWidth} host, {listing.HostCode.Length} bytes at 0x{listing.HostAddress:x}");
        for (int i = 0; i < listing.Instructions.Count; i++)
        {
            ListedInstruction instruction = listing.Instructions[i];
            int end = i + 1 < listing.Instructions.Count ? listing.Instructions[i + 1].HostOffset : listing.BehindOffset;
            string guest = $"{instruction.Rip:x16}  {Text(listing.CodeSize, instruction.Rip, instruction.Bytes)}{(instruction.IsByHandler ? "  (handler)" : "")}";
            bool first = true;
            for (; next < host.Count && host[next].Offset < end; next++, first = false) WriteRow(output, first ? guest : "", host[next]);
            if (first) output.WriteLine(guest);
        }
        if (!showsBehind)
        {
            output.WriteLine($"{"",-GuestWidth} and {listing.HostCode.Length - listing.BehindOffset} bytes behind it (--behind)");
            return;
        }
        output.WriteLine($"{"",-GuestWidth} behind it:");
        for (; next < host.Count; next++) WriteRow(output, "", host[next]);
    }

    private static void WriteRow(TextWriter output, string guest, (int Offset, string Text) host) => output.WriteLine($"{guest,-GuestWidth} {host.Offset,5:x}  {host.Text}");

    private static string Text(int codeSize, ulong rip, byte[] bytes)
    {
        Decoder decoder = Decoder.Create(codeSize, new ByteArrayCodeReader(bytes), rip);
        decoder.Decode(out Instruction instruction);
        var output = new StringOutput();
        Disassembly.NewFormatter().Format(instruction, output);
        return output.ToString();
    }

    private static List<(int Offset, string Text)> Host(BlockListing listing)
    {
        var lines = new List<(int, string)>();
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(listing.HostCode), 0);
        Formatter formatter = Disassembly.NewFormatter();
        var output = new StringOutput();
        while (decoder.IP < (ulong)listing.HostCode.Length)
        {
            int offset = (int)decoder.IP;
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, output);
            string text = output.ToStringAndReset();
            bool leaves = instruction.FlowControl is FlowControl.Call or FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch && instruction.Op0Kind == OpKind.NearBranch64;
            if (leaves && listing.Routines.TryGetValue(listing.HostAddress + instruction.NearBranchTarget, out string? name))
                text = $"{instruction.Mnemonic.ToString().ToLowerInvariant()} {name}";
            lines.Add((offset, text));
        }
        return lines;
    }
}
