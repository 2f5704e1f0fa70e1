using Symbols.Dwarf.Lines;

namespace Introspection.Programs;

/// <summary>Where code is, for people.</summary>
public static class CodeText
{
    /// <summary>"main+0x42 (main.c:17)", or the address where there is no name; of 0 nothing.</summary>
    public static string Of(ulong address, ISymbolSource symbols)
    {
        if (address == 0) return "";
        string place = symbols.NameOf(address, out ulong offset) is { } name ? offset == 0 ? name : $"{name}+0x{offset:x}" : $"0x{address:x}";
        return symbols.LineOf(address) is { } line ? $"{place} ({SourcePath.FileName(line.Path)}:{line.Line})" : place;
    }
}
