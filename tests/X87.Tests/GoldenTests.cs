using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Xunit;

namespace X87.Tests;

/// <summary>Cases captured from a host once, for hosts without gcc. golden/NAME.txt: a line <c># family</c>, then its cases (see <see cref="CaseText"/>).</summary>
public sealed class GoldenTests
{
    private const int CasesPerFamily = 8;

    [Theory]
    [InlineData("x87")]
    [InlineData("mmx")]
    public void EveryLineHolds(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "golden", name + ".txt");
        if (!File.Exists(path))
        {
            string actual = path + ".actual";
            Directory.CreateDirectory(Path.GetDirectoryName(actual)!);
            if (HostFpu.IsAvailable) File.WriteAllText(actual, Capture(name));
            Assert.Fail($"golden/{name}.txt is missing. Look at what the host gives, then: cp {actual} tests/X87.Tests/golden/{name}.txt");
        }

        List<string> failures = [];
        CaseEngine engine = new();
        InstructionFamily? family = null;
        int count = 0;
        foreach (string line in File.ReadLines(path))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                family = InstructionFamily.Named(line[2..]);
                continue;
            }

            CaseText.Parse(line, out byte[] input, out byte[] expected);
            byte[] actual = (byte[])input.Clone();
            engine.Run(new CaseRecord(actual));
            string? difference = family!.Compare(new CaseRecord(input), new CaseRecord(expected), new CaseRecord(actual));
            if (difference != null) failures.Add($"{family.Name}: {difference}");
            count++;
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {count} lines fail\n{string.Join('\n', failures)}");
        Assert.True(count >= 500);
    }

    private static string Capture(string name)
    {
        StringBuilder text = new();
        foreach (InstructionFamily family in InstructionFamily.All)
        {
            if (family.IsMmx != (name == "mmx")) continue;
            byte[] cases = family.Generate(77, CasesPerFamily);
            for (int at = 0; at < cases.Length; at += CaseRecord.SizeBytes) Simplify(new CaseRecord(cases.AsSpan(at, CaseRecord.SizeBytes)), family);
            byte[] results = HostFpu.Run(cases);
            text.Append("# ").AppendLine(family.Name);
            for (int at = 0; at < cases.Length; at += CaseRecord.SizeBytes)
            {
                CaseRecord output = new(results.AsSpan(at, CaseRecord.SizeBytes));
                if (family.ComparedMemory < 32) cases.AsSpan(at + 120, 32)[family.ComparedMemory..].CopyTo(output.Memory[family.ComparedMemory..]);
                text.AppendLine(CaseText.Format(new CaseRecord(cases.AsSpan(at, CaseRecord.SizeBytes)), output));
            }
        }

        return text.ToString();
    }

    // What a case does not need goes, so that its line can be read.
    private static void Simplify(CaseRecord record, InstructionFamily family)
    {
        for (int i = 4; i < 8; i++) record.SetSt(i, default);
        if (!family.IsMmx) record.SetSt(2, default);
        if (!family.IsMmx) record.Xmm.Clear();
        record.Memory[16..].Clear();
        record.Status &= 0x387F;
        if (record.Status >> 11 != 0 && !family.Pushes && record.Tags == 0xFF) record.Status &= 0x7FF;
        record.Rflags = 2;
        record.Rax = family.IsMmx ? (uint)record.Rax : 0;
        // An x87 instruction's last byte is its ModR/M byte.
        if (!family.IsMmx && record.Code[^1] >= 0xC0) record.Memory.Clear();
    }
}
