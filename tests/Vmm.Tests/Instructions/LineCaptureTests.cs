using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Iced.Intel;
using Vmm.Tests.TestKit;
using Xunit;

namespace Vmm.Tests.Instructions;

/// <summary>The lines themselves: they read back as written, they cover the instruction set, and the host CPU still agrees with them.</summary>
public sealed class LineCaptureTests
{
    /// <summary>
    /// Rewrites the committed lines from the host CPU: <c>TTVM_CAPTURE=1 dotnet test tests/Vmm.Tests --filter CaptureLines</c>. Without it,
    /// nothing is written.
    /// </summary>
    [Fact]
    public void CaptureLines()
    {
        if (Environment.GetEnvironmentVariable("TTVM_CAPTURE") != "1") return;
        using HostOracle oracle = new();
        Directory.CreateDirectory(LineFiles.SourceDirectory());
        foreach (string family in CodeCatalog.Families)
        {
            StringBuilder text = new();
            text.Append("; Captured from the host CPU by LineCaptureTests.CaptureLines. The format is described in CaseText.cs.\n");
            foreach (int bitness in (ReadOnlySpan<int>)[64, 32])
            {
                foreach (Code code in CodeCatalog.Codes(family, bitness))
                {
                    // 32-bit code repeats what 64-bit code has shown; what exists there only gets all its lines.
                    int scale = bitness == 32 && code.ToOpCode().IsAvailableInMode(64) ? 20 : 100;
                    foreach (InstructionCase c in LineCapture.Capture(code, bitness, oracle, scale)) text.Append(CaseText.Format(c)).Append('\n');
                }
            }
            File.WriteAllText(Path.Combine(LineFiles.SourceDirectory(), family + ".txt"), text.ToString());
        }
    }

    [Fact]
    public void LinesReadBackAsWritten()
    {
        foreach (string file in LineFiles.Names())
            foreach ((int _, string text) in LineFiles.Read(file))
                Assert.Equal(text, CaseText.Format(CaseText.Parse(text)));
    }

    [Fact]
    public void EveryIntegerInstructionHasALine()
    {
        HashSet<string> seen = [];
        foreach (string file in LineFiles.Names())
        {
            foreach ((int _, string text) in LineFiles.Read(file))
            {
                InstructionCase c = CaseText.Parse(text);
                seen.Add($"{c.Bitness} {c.CodeName}");
            }
        }
        List<string> missing = [];
        foreach (int bitness in (ReadOnlySpan<int>)[64, 32])
            foreach (Code code in CodeCatalog.Codes(bitness))
                if (!seen.Contains($"{bitness} {code}")) missing.Add($"{bitness} {code}");
        Assert.True(missing.Count == 0, "no line for: " + string.Join(", ", missing));
    }

    /// <summary>The host runs the lines again: a line edited by hand, or a host that differs from the one that captured it, shows here.</summary>
    [Fact]
    public void HostAgreesWithLines()
    {
        Assert.SkipWhen(HostProgram.WhyUnavailable() is not null, HostProgram.WhyUnavailable() ?? "");
        using HostOracle oracle = new();
        StringBuilder failures = new();
        int failed = 0;
        foreach (string file in LineFiles.Names())
        {
            foreach ((int number, string text) in LineFiles.Read(file))
            {
                InstructionCase c = CaseText.Parse(text);
                string differences = c.Compare(oracle.Run(c.Bitness, c.Bytes, c.Input));
                if (differences.Length == 0 || ++failed > 20) continue;
                failures.Append(CultureInfo.InvariantCulture, $"{file}.txt:{number}: {text}\n{differences}");
            }
        }
        Assert.True(failed == 0, $"{failed} lines differ\n{failures}");
    }
}
