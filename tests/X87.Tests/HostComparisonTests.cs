using System;
using System.Collections.Generic;
using System.Text;
using Vmm.Interpretation.FloatingPoint;
using Xunit;

namespace X87.Tests;

/// <summary>Every x87 instruction against the host's unit, on seeded operands: bit for bit, the transcendental ones within one unit in the last place.</summary>
public sealed class HostComparisonTests
{
    private const int CaseCount = 4000;

    public static TheoryData<string> Names
    {
        get
        {
            TheoryData<string> names = [];
            foreach (InstructionFamily family in InstructionFamily.All) names.Add(family.Name);
            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AgreesWithTheHost(string name)
    {
        if (!HostFpu.IsAvailable) Assert.Skip("gcc is missing: install it to compare with the host's x87 unit. The golden cases ran.");
        InstructionFamily family = InstructionFamily.Named(name);
        byte[] cases = family.Generate(1, CaseCount);
        byte[] expected = HostFpu.Run(cases);
        byte[] actual = (byte[])cases.Clone();
        CaseEngine engine = new();
        List<string> failures = [];
        int count = 0;
        for (int at = 0; at < cases.Length; at += CaseRecord.SizeBytes)
        {
            CaseRecord result = new(actual.AsSpan(at, CaseRecord.SizeBytes));
            Assert.True(engine.Run(result), $"{name}: {Convert.ToHexString(result.Code)} has no handler");
            CaseRecord host = new(expected.AsSpan(at, CaseRecord.SizeBytes));
            string? difference = family.Compare(new CaseRecord(cases.AsSpan(at, CaseRecord.SizeBytes)), host, result);
            if (difference == null) continue;
            count++;
            if (failures.Count < 8) failures.Add(difference);
        }

        Assert.True(count == 0, $"{name}: {count} of {cases.Length / CaseRecord.SizeBytes} differ\n{string.Join('\n', failures)}");
    }
}
