using System.Collections.Generic;
using System.IO;
using System.Linq;
using Vmm.Time;

namespace Cli.Presentation;

/// <summary>What happened, a line each, by position.</summary>
internal static class PastLines
{
    public static void Write(TextWriter output, List<(Position At, string Text)> lines, int limit)
    {
        foreach ((Position at, string text) in lines.OrderBy(static line => line.At).Take(limit)) output.WriteLine($"{at,-14} {text}");
        if (lines.Count > limit) output.WriteLine($"... {Words.Plural(lines.Count - limit, "line")} more: see --limit and --from");
    }
}
