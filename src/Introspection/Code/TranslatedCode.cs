using System.Collections.Generic;
using Iced.Intel;
using Vmm.Translation;

namespace Introspection.Code;

/// <summary>A line of host code, beside the guest instruction whose code begins with it.</summary>
/// <param name="GuestAddress">RIP of the guest instruction; null: the line goes on with the one before, or lies behind the block.</param>
/// <param name="Guest">The guest instruction; empty likewise.</param>
/// <param name="IsByHandler">The guest instruction is not translated: its handler is called.</param>
/// <param name="HostOffset">Bytes from the start of the block's code; null: the guest instruction needs no code.</param>
/// <param name="Host">The host instruction.</param>
/// <param name="IsBehind">It hardly ever runs: a slow path, or a way out.</param>
public readonly record struct TranslatedLine(ulong? GuestAddress, string Guest, bool IsByHandler, int? HostOffset, string Host, bool IsBehind);

/// <summary>A block that was translated, as text in Intel's syntax: fields of the vCPU's frame and shared routines have names.</summary>
public static class TranslatedCode
{
    /// <summary>Why a block is not translated.</summary>
    public const string InterpretedKinds = "16-bit code, segments with bases, an instruction across two pages, or one whose handler is called";

    public static IReadOnlyList<TranslatedLine> Of(BlockListing listing)
    {
        var lines = new List<TranslatedLine>();
        List<(int Offset, string Text)> host = Host(listing);
        int next = 0;
        for (int i = 0; i < listing.Instructions.Count; i++)
        {
            ListedInstruction instruction = listing.Instructions[i];
            int end = i + 1 < listing.Instructions.Count ? listing.Instructions[i + 1].HostOffset : listing.BehindOffset;
            string guest = TextOf(listing.CodeSize, instruction);
            bool first = true;
            for (; next < host.Count && host[next].Offset < end; next++, first = false)
                lines.Add(new TranslatedLine(first ? instruction.Rip : null, first ? guest : "", first && instruction.IsByHandler, host[next].Offset, host[next].Text, false));
            if (first) lines.Add(new TranslatedLine(instruction.Rip, guest, instruction.IsByHandler, null, "", false));
        }
        for (; next < host.Count; next++) lines.Add(new TranslatedLine(null, "", false, host[next].Offset, host[next].Text, true));
        return lines;
    }

    private static string TextOf(int codeSize, in ListedInstruction listed)
    {
        Decoder decoder = Decoder.Create(codeSize, new ByteArrayCodeReader(listed.Bytes), listed.Rip);
        decoder.Decode(out Instruction instruction);
        var output = new StringOutput();
        Disassembler.NewFormatter().Format(instruction, output);
        return output.ToString();
    }

    private static List<(int Offset, string Text)> Host(BlockListing listing)
    {
        var lines = new List<(int, string)>();
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(listing.HostCode), 0);
        IntelFormatter formatter = Disassembler.NewFormatter(new Names(listing));
        var output = new StringOutput();
        while (decoder.IP < (ulong)listing.HostCode.Length)
        {
            int offset = (int)decoder.IP;
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, output);
            lines.Add((offset, output.ToStringAndReset()));
        }
        return lines;
    }

    private sealed class Names(BlockListing listing) : ISymbolResolver
    {
        public bool TryGetSymbol(in Instruction instruction, int operand, int instructionOperand, ulong address, int addressSize, out SymbolResult symbol)
        {
            symbol = default;
            if (instructionOperand < 0) return false;
            string? name = null;
            bool isField = instruction.GetOpKind(instructionOperand) == OpKind.Memory && instruction.MemoryBase == Register.RSP;
            bool isTarget = instruction.GetOpKind(instructionOperand) == OpKind.NearBranch64;
            if (isField && listing.Fields.TryGetValue((int)(long)address, out name) || isTarget && listing.Routines.TryGetValue(listing.HostAddress + address, out name))
            {
                symbol = new SymbolResult(address, name!);
                return true;
            }
            return false;
        }
    }
}
