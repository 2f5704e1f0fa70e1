using System;
using System.Globalization;
using System.Text;
using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>
/// A case as one line: <c>D8C1 st0=3FFF:8000000000000000 st1=... -> sw=0020 st0=...</c>. Before the arrow, fields that differ from a plain state
/// (control word 037F, all registers +0 and valid, MXCSR 1F80); after it, fields that the instruction changed, or <c>fault</c>.
/// </summary>
internal static class CaseText
{
    public static byte[] Plain()
    {
        byte[] bytes = new byte[CaseRecord.SizeBytes];
        CaseRecord record = new(bytes);
        record.Control = 0x037F;
        record.Tags = 0xFF;
        record.Mxcsr = 0x1F80;
        record.Rflags = 2;
        return bytes;
    }

    public static string Format(CaseRecord input, CaseRecord output)
    {
        StringBuilder line = new(Convert.ToHexString(input.Code));
        AppendDifferences(line, new CaseRecord(Plain()), input);
        line.Append(" ->");
        if (output.Signal != 0) line.Append(" fault");
        else AppendDifferences(line, input, output);
        return line.ToString();
    }

    private static void AppendDifferences(StringBuilder line, CaseRecord from, CaseRecord to)
    {
        if (from.Control != to.Control) line.Append(CultureInfo.InvariantCulture, $" cw={to.Control:X4}");
        if (from.Status != to.Status) line.Append(CultureInfo.InvariantCulture, $" sw={to.Status:X4}");
        if (from.Tags != to.Tags) line.Append(CultureInfo.InvariantCulture, $" tags={to.Tags:X2}");
        for (int i = 0; i < 8; i++)
        {
            Float80 a = from.GetSt(i), b = to.GetSt(i);
            if (a.SignExponent != b.SignExponent || a.Significand != b.Significand) line.Append(CultureInfo.InvariantCulture, $" st{i}={b}");
        }

        if (!from.Memory.SequenceEqual(to.Memory)) line.Append(" mem=").Append(Convert.ToHexString(to.Memory));
        if (!from.Xmm.SequenceEqual(to.Xmm)) line.Append(" xmm=").Append(Convert.ToHexString(to.Xmm));
        if (from.Mxcsr != to.Mxcsr) line.Append(CultureInfo.InvariantCulture, $" mxcsr={to.Mxcsr:X}");
        if (from.Rax != to.Rax) line.Append(CultureInfo.InvariantCulture, $" rax={to.Rax:X}");
        if (((from.Rflags ^ to.Rflags) & 0x8D5) != 0) line.Append(CultureInfo.InvariantCulture, $" flags={to.Rflags & 0x8D5:X}");
    }

    public static void Parse(string line, out byte[] input, out byte[] output)
    {
        string[] sides = line.Split(" ->");
        string[] words = sides[0].Split(' ');
        input = Plain();
        CaseRecord before = new(input);
        before.SetCode(Convert.FromHexString(words[0]));
        Apply(before, words.AsSpan(1));
        output = (byte[])input.Clone();
        Apply(new CaseRecord(output), sides[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static void Apply(CaseRecord record, ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
        {
            int equals = field.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? field : field[..equals], value = field[(equals + 1)..];
            switch (name)
            {
                case "cw": record.Control = ushort.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture); break;
                case "sw": record.Status = ushort.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture); break;
                case "tags": record.Tags = byte.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture); break;
                case "mem": Convert.FromHexString(value).CopyTo(record.Memory); break;
                case "xmm": Convert.FromHexString(value).CopyTo(record.Xmm); break;
                case "mxcsr": record.Mxcsr = uint.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture); break;
                case "rax": record.Rax = ulong.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture); break;
                case "flags": record.Rflags = ulong.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) | 2; break;
                case "fault": record.Signal = 1; break;
                default: record.SetSt(name[2] - '0', ParseFloat(value)); break;
            }
        }
    }

    private static Float80 ParseFloat(string value) => new(
        ushort.Parse(value.AsSpan(0, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
        ulong.Parse(value.AsSpan(5), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
