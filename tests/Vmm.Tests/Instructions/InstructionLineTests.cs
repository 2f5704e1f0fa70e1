using System.Globalization;
using System.Text;
using Xunit;

namespace Vmm.Tests.Instructions;

/// <summary>Every committed line on every engine.</summary>
public sealed class InstructionLineTests
{
    public static TheoryData<string, string> FilesAndEngines()
    {
        TheoryData<string, string> data = [];
        foreach (string file in LineFiles.Names())
            foreach (string engine in EnginesUnderTest.Names) data.Add(file, engine);
        return data;
    }

    [Theory]
    [MemberData(nameof(FilesAndEngines))]
    public void LinesGiveWhatTheHostGave(string file, string engineName)
    {
        using IEngineUnderTest engine = EnginesUnderTest.Create(engineName);
        StringBuilder failures = new();
        int failed = 0, total = 0;
        foreach ((int number, string text) in LineFiles.Read(file))
        {
            total++;
            InstructionCase c = CaseText.Parse(text);
            string differences = c.Compare(engine.Execute(c.Bitness, c.Bytes, c.Input));
            if (differences.Length == 0 || ++failed > 25) continue;
            failures.Append(CultureInfo.InvariantCulture, $"{file}.txt:{number}: {text}\n{differences}");
        }
        Assert.True(total > 0, $"{file}.txt has no lines");
        Assert.True(failed == 0, $"{failed} of {total} lines of {file}.txt fail on the {engine.Name}\n{failures}");
    }
}
