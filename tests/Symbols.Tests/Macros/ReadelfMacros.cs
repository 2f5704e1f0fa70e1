using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Symbols.Tests.Macros;

/// <summary>Macro information as readelf lists it: parts of the section, which refer to each other.</summary>
internal static partial class ReadelfMacros
{
    /// <summary>The definitions of each unit, in the order of the section: <c>LINE FILE text</c>, the file without its folders.</summary>
    internal static List<List<string>> Read(string program)
    {
        List<List<string>> files = FileTables(program);
        var parts = new Dictionary<ulong, List<Match>>();
        var roots = new List<(ulong At, ulong? Line)>();
        var imported = new HashSet<ulong>();
        ulong at = 0;
        bool isOld = false;
        foreach (string line in Dump(program, "macro"))
        {
            if (line.StartsWith("Contents of", StringComparison.Ordinal)) isOld = line.Contains("macinfo", StringComparison.Ordinal);
            else if (OffsetLine().Match(line) is { Success: true } offset) Begin(Hex(offset.Groups[1].Value), null);
            else if (LineOffset().Match(line) is { Success: true } table) roots[^1] = (at, Hex(table.Groups[1].Value));
            else if (Entry().Match(line) is { Success: true } entry)
            {
                // Old lists have no header: one ends where the next file of depth 0 begins.
                if (isOld && parts.Count == 0) Begin(0, 0);
                parts[at].Add(entry);
                if (entry.Groups["what"].Value == "import") imported.Add(Hex(entry.Groups["offset"].Value));
            }
        }
        if (isOld) return SplitOld(parts[0], files);
        return [.. roots.Where(root => !imported.Contains(root.At)).Select((root, index) => Flat(root.At, parts, files[index], []))];

        void Begin(ulong offset, ulong? line)
        {
            at = offset;
            parts[at] = [];
            roots.Add((at, line));
        }
    }

    // GCC defines __STDC__ first in every unit.
    private static List<List<string>> SplitOld(List<Match> entries, List<List<string>> files)
    {
        var units = new List<List<Match>>();
        foreach (Match entry in entries)
        {
            if (entry.Groups["text"].Value == "__STDC__ 1") units.Add([]);
            units[^1].Add(entry);
        }
        return [.. units.Select((unit, index) => Flat(0, new() { [0] = unit }, files[index], []))];
    }

    private static List<string> Flat(ulong part, Dictionary<ulong, List<Match>> parts, List<string> files, List<string> open)
    {
        var list = new List<string>();
        foreach (Match entry in parts[part])
        {
            switch (entry.Groups["what"].Value)
            {
                case "import":
                    list.AddRange(Flat(Hex(entry.Groups["offset"].Value), parts, files, open));
                    break;
                case "start_file":
                    open.Add(files[int.Parse(entry.Groups["file"].Value, CultureInfo.InvariantCulture)]);
                    break;
                case "end_file":
                    open.RemoveAt(open.Count - 1);
                    break;
                case var what when what.StartsWith("define", StringComparison.Ordinal):
                    list.Add($"{entry.Groups["line"].Value} {(open.Count > 0 ? open[^1] : "-")} {entry.Groups["text"].Value.TrimEnd()}");
                    break;
            }
        }
        return list;
    }

    // The tables of files of all line programs, by number.
    private static List<List<string>> FileTables(string program)
    {
        var tables = new List<List<string>>();
        bool isTable = false;
        foreach (string line in Dump(program, "rawline"))
        {
            if (line.Contains("The File Name Table", StringComparison.Ordinal))
            {
                isTable = true;
                // Before version 5 numbers begin at 1.
                tables.Add(line.Contains("columns", StringComparison.Ordinal) ? [] : [""]);
            }
            else if (isTable && FileEntry().Match(line) is { Success: true } entry) tables[^1].Add(entry.Groups[1].Value);
            else if (line.Length == 0) isTable = false;
        }
        return tables;
    }

    private static string[] Dump(string program, string what)
    {
        HostTool.Require("readelf", "binutils");
        ToolResult result = HostTool.Run("readelf", ["-W", $"--debug-dump={what}", program], TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.Split('\n');
    }

    private static ulong Hex(string text) => ulong.Parse(text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^  Offset: +(0x[0-9a-f]+|0)$")]
    private static partial Regex OffsetLine();

    [GeneratedRegex(@"^  Offset into \.debug_line: +(0x[0-9a-f]+|0)$")]
    private static partial Regex LineOffset();

    [GeneratedRegex(@"^ DW_MAC(?:RO|INFO)_(?<what>\w+)(?: - (?:offset : (?<offset>\w+)|lineno ?: (?<line>\d+) (?:filenum ?: (?<file>\d+).*|macro : (?<text>.*))))?$")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^  \d+\t(?:.*\t)?(?:\(.*\): )?([^\t]+)$")]
    private static partial Regex FileEntry();
}
