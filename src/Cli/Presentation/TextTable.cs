using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Cli.Presentation;

/// <summary>Rows below heads, for people in columns and for programs with commas.</summary>
/// <param name="heads">Of the columns.</param>
/// <param name="numeric">Columns that are aligned on the right.</param>
internal sealed class TextTable(string[] heads, params int[] numeric)
{
    private const int MaximumWidth = 60;

    public List<string[]> Rows { get; } = [];

    /// <summary>Nothing where there are no rows.</summary>
    public void Write(TextWriter output)
    {
        if (Rows.Count == 0) return;
        string[][] all = [heads, .. Rows];
        int[] widths = [.. heads.Select((_, column) => Math.Min(MaximumWidth, all.Max(row => row[column].Length)))];
        foreach (string[] row in all)
        {
            var line = new StringBuilder();
            for (int i = 0; i < row.Length; i++) line.Append(numeric.Contains(i) ? row[i].PadLeft(widths[i]) : row[i].PadRight(widths[i])).Append("  ");
            output.WriteLine(line.ToString().TrimEnd());
        }
    }

    public void WriteCsv(TextWriter output)
    {
        output.WriteLine(string.Join(',', heads));
        foreach (string[] row in Rows) output.WriteLine(string.Join(',', row.Select(Quoted)));
    }

    private static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\n") >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
