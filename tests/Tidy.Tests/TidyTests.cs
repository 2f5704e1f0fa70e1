using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Tidy.Tests;

/// <summary>Reads the source tree itself: what reviewers would otherwise repeat in every review.</summary>
public sealed partial class TidyTests
{
    private const int MaximumFileLines = 1000;
    private const int MaximumLineLength = 190;

    // Where raw pointers are the point: guest RAM, the register file, the decoded form, P/Invoke, the translator's backend, and the
    // interpreter's dispatch with the Bind methods that fill in its function pointers.
    private static readonly string[] s_unsafePlaces =
    [
        "src/Vmm/Memory/", "src/Vmm/Host/", "src/Vmm/Cpu/VcpuState.cs", "src/Vmm/Decoding/DecodedInstruction.cs", "src/Vmm/Interpretation/",
        "src/Vmm/Translation/",
    ];

    private static readonly string[] s_textPatterns =
        ["*.cs", "*.csproj", "*.props", "*.sh", "*.c", "*.h", "*.S", "*.ld", "*.md", "*.json", "*.ts", "*.yml", "Makefile"];

    [Fact]
    public void Files_are_short() => Report(
        from path in CSharpFiles()
        let count = File.ReadLines(path).Count()
        where count > MaximumFileLines
        select $"{Repository.RelativePath(path)}: {count} lines, at most {MaximumFileLines}");

    [Fact]
    public void Lines_are_short() => Report(EachLine(CSharpFiles(), (line, _) =>
        line.Length > MaximumLineLength && !line.Contains("https://", StringComparison.Ordinal)
            ? $"{line.Length} characters, at most {MaximumLineLength}" : null));

    [Fact]
    public void Namespaces_are_folders() => Report(CSharpFiles().Select(path =>
    {
        string relative = Repository.RelativePath(path);
        string expected = ExpectedNamespace(relative);
        Match match = NamespaceDeclaration().Match(File.ReadAllText(path));
        bool isTopLevelProgram = !match.Success && Path.GetFileName(path) is "Program.cs" or "AssemblyInfo.cs" or "GlobalUsings.cs";
        if (isTopLevelProgram || match.Groups[1].Value == expected) return null;
        return $"{relative}: namespace is '{match.Groups[1].Value}', its folder says '{expected}'";
    }));

    [Fact]
    public void No_regions() => Report(EachLine(CSharpFiles(), (line, _) =>
        line.TrimStart().StartsWith("#region", StringComparison.Ordinal) ? "#region: make it a file of its own" : null));

    [Fact]
    public void Nothing_is_left_to_do() => Report(EachLine(TextFiles(), (line, path) =>
        !path.EndsWith("TidyTests.cs", StringComparison.Ordinal) && LeftToDo().IsMatch(line) ? $"left to do: {line.Trim()}" : null));

    [Fact]
    public void Unsafe_only_where_it_is_the_point() => Report(EachLine(CSharpFiles("src"), (line, path) =>
        UnsafeKeyword().IsMatch(WithoutComment(line)) && !s_unsafePlaces.Any(place => path.StartsWith(place, StringComparison.Ordinal))
            ? $"unsafe code belongs to {string.Join(", ", s_unsafePlaces)}" : null));

    [Fact]
    public void No_trailing_blanks_or_tabs_or_carriage_returns() => Report(EachLine(TextFiles(), (line, path) =>
    {
        if (line.EndsWith('\r')) return "carriage return";
        if (line.EndsWith(' ') || line.EndsWith('\t')) return "trailing blank";
        return path.EndsWith(".cs", StringComparison.Ordinal) && line.Contains('\t', StringComparison.Ordinal) ? "tab" : null;
    }));

    [Fact]
    public void Files_end_with_one_newline() => Report(TextFiles().Select(path =>
    {
        string text = File.ReadAllText(path);
        bool isRight = text.Length == 0 || (text.EndsWith('\n') && !text.EndsWith("\n\n", StringComparison.Ordinal));
        return isRight ? null : $"{Repository.RelativePath(path)}: must end with exactly one newline";
    }));

    [Fact]
    public void Guests_say_on_line_1_what_they_exercise() => Report(
        from pattern in (string[])["*.c", "*.S"]
        from path in Repository.SourceFiles("guests", pattern)
        let first = File.ReadLines(path).FirstOrDefault() ?? ""
        where !first.StartsWith("// Exercises ", StringComparison.Ordinal)
        select $"{Repository.RelativePath(path)}:1: must start with '// Exercises ...'");

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Repository.PathOf("Debugger.sln")).Replace('\\', '/');
        Report(from path in Repository.SourceFiles(".", "*.csproj")
               let relative = Repository.RelativePath(path)
               where !solution.Contains($"\"{relative}\"", StringComparison.Ordinal)
               select $"{relative}: not in Debugger.sln; run: dotnet sln Debugger.sln add {relative}");
    }

    [Fact]
    public void The_tree_is_read_at_all() => Assert.True(CSharpFiles().Count() > 20, "the tidy tests found no source");

    private static IEnumerable<string> CSharpFiles(string folder = ".") =>
        Repository.SourceFiles(folder, "*.cs").Where(path => !path.EndsWith(".g.cs", StringComparison.Ordinal));

    private static IEnumerable<string> TextFiles() => s_textPatterns.SelectMany(pattern => Repository.SourceFiles(".", pattern))
        .Where(path => !path.EndsWith(".g.cs", StringComparison.Ordinal) && !path.EndsWith("package-lock.json", StringComparison.Ordinal));

    private static IEnumerable<string?> EachLine(IEnumerable<string> files, Func<string, string, string?> check)
    {
        foreach (string file in files)
        {
            string relative = Repository.RelativePath(file);
            string[] lines = File.ReadAllText(file).Split('\n');
            for (int i = 0; i < lines.Length; i++)
                if (check(lines[i], relative) is { } problem)
                    yield return $"{relative}:{i + 1}: {problem}";
        }
    }

    // src/Vmm/Cpu/Vcpu.cs -> Vmm.Cpu; tests/Vmm.Tests/Decoding/X.cs -> Vmm.Tests.Decoding; bench/Bench/X.cs -> Bench
    private static string ExpectedNamespace(string relativePath)
    {
        string[] parts = relativePath.Split('/');
        return string.Join('.', parts[1..^1]);
    }

    private static string WithoutComment(string line)
    {
        int comment = line.IndexOf("//", StringComparison.Ordinal);
        return comment < 0 ? line : line[..comment];
    }

    private static void Report(IEnumerable<string?> problems)
    {
        string[] found = [.. problems.OfType<string>().Take(50)];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    [GeneratedRegex(@"^namespace\s+([\w.]+)\s*;", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex LeftToDo();

    [GeneratedRegex(@"\bunsafe\b(?!\.)")]
    private static partial Regex UnsafeKeyword();
}
