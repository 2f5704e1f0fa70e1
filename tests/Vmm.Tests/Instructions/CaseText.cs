using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Vmm.Cpu;

namespace Vmm.Tests.Instructions;

/// <summary>
/// The text form of a case: <c>48 0F AF C3 | Imul_r64_rm64 | rax=10 rbx=0F -> rax=F0 af,sf=?</c>.
/// <list type="bullet">
/// <item>Bytes; <c>32:</c> before them means 32-bit code, else 64-bit. They are at 100800 (hex), CPL 3.</item>
/// <item>The Iced Code name of the (first) instruction.</item>
/// <item>Inputs that differ from <see cref="CaseState.Default"/>, then what differs from the inputs afterwards. All numbers are hex.</item>
/// <item><c>[scratch+8]=00FF</c>: the number of digits is the size of a little-endian number: 1, 2, 4 or 8 bytes.</item>
/// <item><c>cf=?</c>, <c>rax=?</c>: undefined. <c>rip</c> is the end of the bytes unless given. Faults leave RIP at the instruction:
/// <c>-> #DE</c>, <c>-> #GP(0)</c>, <c>-> #PF(6) cr2=201000</c>.</item>
/// </list>
/// </summary>
internal static class CaseText
{
    private static readonly string[] Names64 =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
    private static readonly string[] Names32 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
    private static readonly Dictionary<int, string> Vectors = new()
    {
        [0] = "DE", [1] = "DB", [3] = "BP", [4] = "OF", [5] = "BR", [6] = "UD", [7] = "NM", [11] = "NP", [12] = "SS", [13] = "GP", [14] = "PF",
        [16] = "MF", [17] = "AC", [19] = "XM",
    };

    public static string RegisterName(int register, int bitness) => (bitness == 64 ? Names64 : Names32)[register];

    public static string Exception(CaseOutcome outcome)
    {
        if (outcome.Vector == CaseOutcome.Completed) return "no exception";
        if (outcome.Vector == CaseOutcome.TimedOut) return "no end";
        string name = Vectors.TryGetValue(outcome.Vector, out string? known) ? "#" + known : $"#{outcome.Vector}";
        bool hasErrorCode = new PendingException((Vector)outcome.Vector, 0).HasErrorCode;
        string text = hasErrorCode ? $"{name}({outcome.ErrorCode:X})" : name;
        return outcome.Vector == 14 ? $"{text} cr2={outcome.FaultAddress:X}" : text;
    }

    // ---- Writing.

    public static string Format(InstructionCase c)
    {
        StringBuilder line = new();
        if (c.Bitness == 32) line.Append("32: ");
        line.Append(FormatBytes(c.Bytes)).Append(" | ").Append(c.CodeName).Append(" |");
        AppendState(line, c, CaseState.Default(c.Bitness), c.Input, 0, 0);
        line.Append(" ->");
        if (c.Expected.Vector != CaseOutcome.Completed) line.Append(' ').Append(Exception(c.Expected));
        AppendState(line, c, c.Input, c.Expected.State, c.UndefinedFlags, c.UndefinedRegisters);
        if (c.Expected.State.Rip != DefaultRip(c.Bytes.Length, c.Expected.Vector))
            line.Append(CultureInfo.InvariantCulture, $" rip={c.Expected.State.Rip:X}");
        return line.ToString();
    }

    public static string FormatBytes(byte[] bytes) => BitConverter.ToString(bytes).Replace('-', ' ');

    private static ulong DefaultRip(int length, int vector) => CaseState.CodeStart + (vector == CaseOutcome.Completed ? (ulong)length : 0);

    private static void AppendState(StringBuilder line, InstructionCase c, CaseState from, CaseState to, ulong undefinedFlags, uint undefinedRegisters)
    {
        for (int register = 0; register < (c.Bitness == 64 ? 16 : 8); register++)
        {
            if ((undefinedRegisters >> register & 1) != 0)
                line.Append(CultureInfo.InvariantCulture, $" {RegisterName(register, c.Bitness)}=?");
            else if (from.General[register] != to.General[register])
                line.Append(CultureInfo.InvariantCulture, $" {RegisterName(register, c.Bitness)}={to.General[register]:X}");
        }
        AppendVectors(line, from, to);
        AppendMemory(line, from.ScratchPage, to.ScratchPage);
        foreach ((string name, ulong bit) in CaseFlags.Named)
        {
            if ((undefinedFlags & bit) == 0 && ((from.RFlags ^ to.RFlags) & bit) != 0)
                line.Append(' ').Append(name).Append('=').Append((to.RFlags & bit) != 0 ? '1' : '0');
        }
        if (undefinedFlags == 0) return;
        char separator = ' ';
        foreach ((string name, ulong bit) in CaseFlags.Named)
        {
            if ((undefinedFlags & bit) == 0) continue;
            line.Append(separator).Append(name);
            separator = ',';
        }
        line.Append("=?");
    }

    private static void AppendVectors(StringBuilder line, CaseState from, CaseState to)
    {
        for (int register = 0; register < 16; register++)
            if (from.Xmm[register] != to.Xmm[register]) line.Append(CultureInfo.InvariantCulture, $" xmm{register}={to.Xmm[register]:X}");
        for (int register = 0; register < 8; register++)
            if (from.Mm[register] != to.Mm[register]) line.Append(CultureInfo.InvariantCulture, $" mm{register}={to.Mm[register]:X}");
        if (from.Mxcsr != to.Mxcsr) line.Append(CultureInfo.InvariantCulture, $" mxcsr={to.Mxcsr:X}");
        if (from.Tags != to.Tags) line.Append(CultureInfo.InvariantCulture, $" tags={to.Tags:X}");
    }

    private static void AppendMemory(StringBuilder line, byte[] from, byte[] to)
    {
        for (int offset = 0; offset < to.Length;)
        {
            if (from[offset] == to[offset])
            {
                offset++;
                continue;
            }
            int last = offset; // the last changed byte of the next eight
            for (int next = offset; next < Math.Min(offset + 8, to.Length); next++)
                if (from[next] != to[next]) last = next;
            int size = last - offset + 1 > 4 ? 8 : last - offset + 1 > 2 ? 4 : last - offset + 1;
            while (offset + size > to.Length) size /= 2;
            line.Append(CultureInfo.InvariantCulture, $" [scratch+{offset:X}]=");
            for (int i = size - 1; i >= 0; i--) line.Append(to[offset + i].ToString("X2", CultureInfo.InvariantCulture));
            offset += size;
        }
    }

    // ---- Reading.

    /// <exception cref="InvalidDataException">The line is not a case; the message says why.</exception>
    public static InstructionCase Parse(string line)
    {
        string[] columns = line.Split('|');
        if (columns.Length != 3) throw Bad(line, "expected 'bytes | Code | inputs -> outputs'");
        string bytesText = columns[0].Trim();
        int bitness = bytesText.StartsWith("32:", StringComparison.Ordinal) ? 32 : 64;
        if (bitness == 32) bytesText = bytesText[3..];
        byte[] bytes;
        try
        {
            bytes = Convert.FromHexString(bytesText.Replace(" ", "", StringComparison.Ordinal));
        }
        catch (FormatException)
        {
            throw Bad(line, "the bytes are not hex");
        }
        int arrow = columns[2].IndexOf("->", StringComparison.Ordinal);
        if (arrow < 0) throw Bad(line, "'->' is missing");
        CaseState input = CaseState.Default(bitness);
        LineReader inputs = new(line, bitness, input);
        inputs.ReadAll(columns[2][..arrow]);
        CaseState expected = input.Clone();
        LineReader outputs = new(line, bitness, expected);
        outputs.ReadAll(columns[2][(arrow + 2)..]);
        if (!outputs.HasRip) expected.Rip = DefaultRip(bytes.Length, outputs.Vector);
        return new InstructionCase
        {
            Bitness = bitness,
            Bytes = bytes,
            CodeName = columns[1].Trim(),
            Input = input,
            Expected = new CaseOutcome(expected, outputs.Vector, outputs.ErrorCode, outputs.FaultAddress),
            UndefinedFlags = outputs.UndefinedFlags,
            UndefinedRegisters = outputs.UndefinedRegisters,
        };
    }

    private static InvalidDataException Bad(string line, string why) => new($"{why}, in: {line}");

    /// <summary>Reads one side of the arrow into a state.</summary>
    private sealed class LineReader(string line, int bitness, CaseState state)
    {
        public int Vector { get; private set; } = CaseOutcome.Completed;
        public uint ErrorCode { get; private set; }
        public ulong FaultAddress { get; private set; }
        public bool HasRip { get; private set; }
        public ulong UndefinedFlags { get; private set; }
        public uint UndefinedRegisters { get; private set; }

        public void ReadAll(string text)
        {
            foreach (string token in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (token[0] == '#')
                {
                    ReadException(token);
                    continue;
                }
                int equals = token.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0) throw Bad(line, $"'{token}' is no assignment");
                ReadAssignment(token[..equals], token[(equals + 1)..]);
            }
        }

        private void ReadException(string token)
        {
            int parenthesis = token.IndexOf('(', StringComparison.Ordinal);
            string name = parenthesis < 0 ? token[1..] : token[1..parenthesis];
            foreach ((int vector, string known) in Vectors)
                if (known == name) Vector = vector;
            if (Vector == CaseOutcome.Completed) throw Bad(line, $"'{token}' is no exception");
            if (parenthesis >= 0) ErrorCode = (uint)Number(token[(parenthesis + 1)..^1]);
        }

        private void ReadAssignment(string name, string value)
        {
            int register = Array.IndexOf(bitness == 64 ? Names64 : Names32, name);
            if (register >= 0 && value == "?") UndefinedRegisters |= 1u << register;
            else if (register >= 0) state.General[register] = Number(value);
            else if (name == "rip")
            {
                state.Rip = Number(value);
                HasRip = true;
            }
            else if (name == "mxcsr") state.Mxcsr = (uint)Number(value);
            else if (name == "tags") state.Tags = (byte)Number(value);
            else if (name.StartsWith("xmm", StringComparison.Ordinal)) ReadVector(name, value);
            else if (name.StartsWith("mm", StringComparison.Ordinal)) state.Mm[Index(name[2..], 8)] = Number(value);
            else if (name == "cr2") FaultAddress = Number(value);
            else if (name.StartsWith("[scratch+", StringComparison.Ordinal) && name[^1] == ']') ReadMemory((int)Number(name[9..^1]), value);
            else ReadFlags(name, value);
        }

        private void ReadVector(string name, string digits)
        {
            if (!UInt128.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value))
                throw Bad(line, $"'{digits}' is no hex number");
            state.Xmm[Index(name[3..], 16)] = value;
        }

        private int Index(string digits, int count) =>
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < count
                ? index
                : throw Bad(line, $"there is no register {digits}");

        private void ReadFlags(string names, string value)
        {
            foreach (string name in names.Split(','))
            {
                if (!CaseFlags.TryFind(name, out ulong bit)) throw Bad(line, $"'{name}' is no register, flag or memory");
                if (value == "?") UndefinedFlags |= bit;
                else if (value == "1") state.RFlags |= bit;
                else if (value == "0") state.RFlags &= ~bit;
                else throw Bad(line, $"a flag is 0, 1 or ?, not '{value}'");
            }
        }

        private void ReadMemory(int offset, string digits)
        {
            int size = digits.Length / 2;
            if (digits.Length % 2 != 0 || size is not (1 or 2 or 4 or 8) || offset + size > CaseState.PageSizeBytes)
                throw Bad(line, $"'{digits}' at {offset:X} is not 1, 2, 4 or 8 bytes of the scratch page");
            ulong value = Number(digits);
            for (int i = 0; i < size; i++) state.ScratchPage[offset + i] = (byte)(value >> (8 * i));
        }

        private ulong Number(string digits) =>
            ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value)
                ? value
                : throw Bad(line, $"'{digits}' is no hex number");
    }
}
