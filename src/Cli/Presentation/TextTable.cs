using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Cli.Presentation;

/// <summary>Columns of text under their heads.</summary>
internal static class TextTable
{
    private const int WidestColumn = 60;

    /// <summary>Writes it; a cell that is too wide pushes the rest of its row.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="heads">A word or two each.</param>
    /// <param name="rows">With as many cells.</param>
    /// <param name="rightAligned">Columns of numbers.</param>
    public static void Write(TextWriter output, IReadOnlyList<string> heads, IReadOnlyList<string[]> rows, IReadOnlyList<int> rightAligned)
    {
        int[] widths = [.. heads.Select((head, column) => Math.Min(WidestColumn, Math.Max(head.Length, rows.Count == 0 ? 0 : rows.Max(row => row[column].Length))))];
        WriteRow(heads);
        foreach (string[] row in rows) WriteRow(row);

        void WriteRow(IReadOnlyList<string> row)
        {
            var line = new StringBuilder();
            for (int i = 0; i < row.Count; i++) line.Append(rightAligned.Contains(i) ? row[i].PadLeft(widths[i]) : row[i].PadRight(widths[i])).Append("  ");
            output.WriteLine(line.ToString().TrimEnd());
        }
    }

    /// <summary>The same as comma-separated values.</summary>
    public static void WriteCsv(TextWriter output, IReadOnlyList<string> heads, IReadOnlyList<string[]> rows)
    {
        output.WriteLine(string.Join(',', heads));
        foreach (string[] row in rows) output.WriteLine(string.Join(',', row.Select(Quoted)));
    }

    private static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\n") >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
