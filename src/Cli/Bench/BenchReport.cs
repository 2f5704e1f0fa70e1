using System;
using System.Collections.Generic;
using System.IO;

namespace Cli.Bench;

/// <summary>What was measured, as a table in Markdown.</summary>
internal sealed class BenchReport
{
    private readonly List<(string What, string Value, string Target)> _rows = [];
    private readonly List<string> _notes = [];

    /// <param name="what">What was measured.</param>
    /// <param name="value">The result.</param>
    /// <param name="target">What it should be; empty: nothing is asked of it.</param>
    public void Add(string what, string value, string target = "") => _rows.Add((what, value, target));

    /// <summary>Something to know about the table.</summary>
    public void Note(string text) => _notes.Add(text);

    public void Write(TextWriter output)
    {
        output.WriteLine("| Measured | Result | Target |");
        output.WriteLine("|---|---|---|");
        foreach ((string what, string value, string target) in _rows) output.WriteLine($"| {what} | {value} | {target} |");
        if (_notes.Count > 0) output.WriteLine();
        foreach (string note in _notes) output.WriteLine($"- {note}");
    }

    /// <summary>The middle one of several.</summary>
    public static TimeSpan Median(List<TimeSpan> times)
    {
        TimeSpan[] sorted = [.. times];
        Array.Sort(sorted);
        return sorted[sorted.Length / 2];
    }
}
