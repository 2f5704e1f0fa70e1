using System;
using System.Collections.Generic;

namespace Symbols.Types;

/// <summary>A macro of C's preprocessor (C17 6.10.3).</summary>
/// <param name="Name">What is replaced.</param>
/// <param name="Parameters">Names of its parameters, the last <c>...</c> or <c>name...</c> where there may be more arguments; null: it takes none, not even brackets.</param>
/// <param name="Body">What it is replaced with.</param>
/// <param name="Path">The file that defines it, as the compiler saw it; null: predefined, given on the command line, or not known.</param>
/// <param name="Line">The line there; 0: none.</param>
public sealed record MacroDefinition(string Name, IReadOnlyList<string>? Parameters, string Body, string? Path, uint Line)
{
    /// <summary>Reads what follows <c>#define</c>, as debug information has it (DWARF 5, 6.3.2.1): one space between the name with its parameters and the body.</summary>
    public static MacroDefinition Read(string text, string? path, uint line)
    {
        int end = text.AsSpan().IndexOfAny(' ', '(');
        if (end < 0) return new MacroDefinition(text, null, "", path, line);
        string name = text[..end];
        int close = text[end] == '(' ? text.IndexOf(')', end) : -1;
        if (close < 0) return new MacroDefinition(name, null, text[(end + 1)..].Trim(), path, line);
        string[] parameters = text[(end + 1)..close].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return new MacroDefinition(name, parameters, text[(close + 1)..].Trim(), path, line);
    }
}
