using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Architecture.Tests;

/// <summary>
/// Inside Vmm the folders are layers too. The source is read rather than the assembly, so that the message has a file and a line.
/// </summary>
public sealed partial class NamespaceTests
{
    // A folder that is listed here sees only these others.
    private static readonly Dictionary<string, string[]> s_seesOnly = new()
    {
        ["Host"] = [],
        ["Snapshots"] = ["Memory"],
        ["Time"] = ["Snapshots", "Inputs", "Cpu"],
        ["Inputs"] = ["Time", "Snapshots"],
        ["Memory"] = ["Host", "Buses", "Snapshots"],
        ["Buses"] = ["Memory", "Snapshots"],
        // A chip sees its wires, its timers and the memory that it masters: never a CPU, never another chip.
        ["Devices"] = ["Buses", "Time", "Memory", "Snapshots", "Inputs"],
    };

    // A folder that is listed here never sees these.
    private static readonly Dictionary<string, string[]> s_neverSees = new()
    {
        ["Cpu"] = ["Devices", "Platform", "Interpretation", "Translation"],
        ["Paging"] = ["Devices", "Platform", "Interpretation", "Translation"],
        ["Decoding"] = ["Devices", "Platform", "Translation"],
        ["Interpretation"] = ["Devices", "Platform", "Translation"],
        ["Translation"] = ["Devices", "Platform", "Interpretation"],
    };

    public static TheoryData<string> Folders() => [.. s_seesOnly.Keys.Concat(s_neverSees.Keys)];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_sees_only_what_it_may(string folder)
    {
        var problems = new List<string>();
        foreach (string path in Repository.SourceFiles($"src/Vmm/{folder}", "*.cs"))
        {
            string[] lines = File.ReadAllLines(path);
            for (int i = 0; i < lines.Length; i++)
                foreach (string seen in Mentioned(lines[i]))
                    if (seen != folder && !MaySee(folder, seen))
                        problems.Add($"{Repository.RelativePath(path)}:{i + 1}: Vmm.{folder} must not see Vmm.{seen}");
        }
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    private static bool MaySee(string folder, string seen) =>
        s_seesOnly.TryGetValue(folder, out string[]? only) ? only.Contains(seen) : !s_neverSees[folder].Contains(seen);

    // "using Vmm.Cpu;", "using static Vmm.Cpu.Flags;" and "Vmm.Cpu.Vcpu", not comments.
    private static IEnumerable<string> Mentioned(string line)
    {
        int comment = line.IndexOf("//", StringComparison.Ordinal);
        string code = comment < 0 ? line : line[..comment];
        return NamespaceUse().Matches(code).Select(match => match.Groups[1].Value);
    }

    [GeneratedRegex(@"\bVmm\.([A-Z]\w*)")]
    private static partial Regex NamespaceUse();
}
