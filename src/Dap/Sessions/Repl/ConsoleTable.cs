using System;
using System.Collections.Generic;
using System.Text;
using Dap.Protocol;

namespace Dap.Sessions.Repl;

/// <summary>Rows under each other.</summary>
internal static class ConsoleTable
{
    /// <summary>Names and values in two columns.</summary>
    public static string Of(IReadOnlyList<Variable> rows)
    {
        var pairs = new List<(string, string)>(rows.Count);
        foreach (Variable row in rows) pairs.Add((row.Name, row.Value));
        return Of(pairs);
    }

    public static string Of(IReadOnlyList<(string Name, string Value)> rows)
    {
        int width = 0;
        foreach ((string name, _) in rows) width = Math.Max(width, name.Length);
        var text = new StringBuilder();
        foreach ((string name, string value) in rows) text.Append(text.Length > 0 ? "\n" : "").Append(name.PadRight(width)).Append("  ").Append(value);
        return text.ToString();
    }
}
