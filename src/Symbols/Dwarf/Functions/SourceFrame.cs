using System.Collections.Generic;
using Symbols.Dwarf.Entries;

namespace Symbols.Dwarf.Functions;

/// <summary>One of the functions that an address is in: the innermost inlined one, its caller, ..., the function itself.</summary>
/// <param name="FunctionName">Its name in the source; null if unknown.</param>
/// <param name="LinkageName">Its mangled name, where that differs.</param>
/// <param name="Path">The file: of the address for the innermost, of the call for the others.</param>
/// <param name="Line">The line there; 0 if unknown.</param>
/// <param name="Column">The column there; 0 if unknown.</param>
/// <param name="IsInlined">An inlined copy, which has no stack frame of its own.</param>
/// <param name="Function">The function whose code it is in.</param>
/// <param name="Call">The inlined copy, if it is one.</param>
public sealed record SourceFrame(
    string? FunctionName, string? LinkageName, string? Path, uint Line, uint Column, bool IsInlined, DebugFunction? Function, InlinedCall? Call)
{
    /// <summary>The name with namespaces and classes: <c>ns::Class::method</c>, in Rust with what a generic one is made for; null if unknown.</summary>
    public string? QualifiedName => (Call is { } call ? call.QualifiedName : Function?.QualifiedName) ?? FunctionName;

    /// <summary>What a name may mean there, the innermost first: something of the function's class and of each namespace around it, then what it says itself.</summary>
    public IEnumerable<string> Meanings(string name)
    {
        string scope = QualifiedName ?? "";
        while (OuterOf(scope) is { } outer)
        {
            scope = outer;
            yield return $"{scope}::{name}";
            yield return $"{scope}::{EntryNames.AnonymousNamespace}::{name}";
        }
        yield return name;
        yield return $"{EntryNames.AnonymousNamespace}::{name}";
    }

    // Without the last name, as far as it is in no template's arguments.
    private static string? OuterOf(string name)
    {
        int depth = 0;
        for (int i = name.Length - 1; i > 0; i--)
        {
            if (name[i] is '>' or ')') depth++;
            else if (name[i] is '<' or '(') depth--;
            else if (depth == 0 && name[i] == ':' && name[i - 1] == ':') return name[..(i - 1)];
        }
        return null;
    }
}
