using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.State;
using Introspection.Text;

namespace Introspection.Code;

/// <summary>One line of disassembly.</summary>
/// <param name="Address">Linear.</param>
/// <param name="Bytes">Its bytes in hexadecimal, separated by blanks.</param>
/// <param name="Text">The instruction, or why there is none.</param>
/// <param name="IsValid">It is an instruction.</param>
public readonly record struct DisassembledLine(ulong Address, string Bytes, string Text, bool IsValid);

/// <summary>Guest memory as instructions in Intel's syntax, forwards and backwards.</summary>
public sealed class Disassembler
{
    private const int LongestInstruction = 15;
    /// <summary>Bytes before what is asked for from which decoding starts: by then it has fallen into step with the real instructions.</summary>
    private const int Approach = 64;

    private readonly GuestView _view;
    private readonly IntelFormatter _formatter = NewFormatter();
    private readonly StringOutput _output = new();

    public Disassembler(in GuestView view) => _view = view;

    /// <summary>Intel's syntax as it is shown everywhere.</summary>
    /// <param name="names">What addresses are called; null: numbers.</param>
    public static IntelFormatter NewFormatter(ISymbolResolver? names = null)
    {
        var formatter = new IntelFormatter(names);
        FormatterOptions options = formatter.Options;
        options.HexPrefix = "0x";
        options.HexSuffix = null;
        options.UppercaseHex = false;
        options.SpaceAfterOperandSeparator = true;
        options.BranchLeadingZeros = false;
        options.RipRelativeAddresses = false;
        options.SmallHexNumbersInDecimal = true;
        return formatter;
    }

    /// <summary>The instruction at a linear address; invalid when there is none.</summary>
    public Instruction Decode(ulong linear)
    {
        Span<byte> bytes = stackalloc byte[LongestInstruction];
        int count = _view.Read(linear, bytes);
        return count == 0 ? default : Decode(bytes[..count].ToArray(), linear);
    }

    /// <summary>The instruction at a linear address as text.</summary>
    public string TextAt(ulong linear) => LineAt(linear).Text;

    /// <summary>Exactly <paramref name="count"/> lines; <paramref name="offset"/> of them (negative: before) from the one at <paramref name="linear"/>.</summary>
    public List<DisassembledLine> Read(ulong linear, long offset, int count)
    {
        var lines = new List<DisassembledLine>(count);
        if (offset < 0)
        {
            List<ulong> before = Before(linear, (int)Math.Min(-offset, int.MaxValue / 32));
            foreach (ulong address in before)
                if (lines.Count < count) lines.Add(LineAt(address));
        }
        ulong at = linear;
        for (long skip = offset; skip > 0; skip--) at += Length(at);
        while (lines.Count < count)
        {
            lines.Add(LineAt(at));
            at += Length(at);
        }
        return lines;
    }

    /// <summary>
    /// Where the instructions before an address begin, ascending, exactly so many. x86 cannot be decoded backwards; but decoding from anywhere falls into step with the
    /// real instructions soon, so that the beginning on which most attempts agree is taken.
    /// </summary>
    private List<ulong> Before(ulong linear, int count)
    {
        int window = Approach + count * 8;
        var bytes = new byte[window];
        var starts = new List<ulong>();
        int readable = ReadEndingAt(linear, bytes);
        int[] lengths = new int[window];
        int[] votes = new int[window + 1];
        for (int i = window - readable; i < window; i++)
        {
            Instruction instruction = Decode(bytes[i..Math.Min(window, i + LongestInstruction)], linear - (ulong)(window - i));
            lengths[i] = instruction.IsInvalid ? 0 : instruction.Length;
            votes[i]++;
            if (lengths[i] > 0 && i + lengths[i] <= window) votes[i + lengths[i]] += votes[i];
        }
        int end = window;
        while (starts.Count < count && end > window - readable)
        {
            int best = -1;
            for (int i = end - 1; i >= Math.Max(window - readable, end - LongestInstruction); i--)
                if (lengths[i] == end - i && (best < 0 || votes[i] > votes[best])) best = i;
            end = best < 0 ? end - 1 : best;
            starts.Add(linear - (ulong)(window - end));
        }
        ulong first = starts.Count > 0 ? starts[^1] : linear;
        while (starts.Count < count) starts.Add(--first);
        starts.Reverse();
        return starts;
    }

    // Fills the end of the buffer with the bytes before an address, back to the first page that cannot be read.
    private int ReadEndingAt(ulong linear, byte[] bytes)
    {
        int done = 0;
        while (done < bytes.Length)
        {
            ulong end = linear - (ulong)done;
            int inPage = (int)(end & 0xFFF);
            int count = Math.Min(bytes.Length - done, inPage == 0 ? 0x1000 : inPage);
            if (_view.Read(end - (ulong)count, bytes.AsSpan(bytes.Length - done - count, count)) < count) break;
            done += count;
        }
        return done;
    }

    private ulong Length(ulong linear)
    {
        Instruction instruction = Decode(linear);
        return instruction.IsInvalid ? 1 : (ulong)instruction.Length;
    }

    private DisassembledLine LineAt(ulong linear)
    {
        Span<byte> bytes = stackalloc byte[LongestInstruction];
        int count = _view.Read(linear, bytes);
        if (count == 0) return new DisassembledLine(linear, "", "(no memory here)", false);
        Instruction instruction = Decode(bytes[..count].ToArray(), linear);
        if (instruction.IsInvalid) return new DisassembledLine(linear, $"{bytes[0]:x2}", "(not an instruction)", false);
        _formatter.Format(instruction, _output);
        return new DisassembledLine(linear, Hexadecimal.Bytes(bytes[..instruction.Length]), _output.ToStringAndReset(), true);
    }

    private Instruction Decode(byte[] bytes, ulong linear)
    {
        var decoder = Decoder.Create(_view.CodeSize, new ByteArrayCodeReader(bytes), linear);
        decoder.Decode(out Instruction instruction);
        return instruction;
    }
}
