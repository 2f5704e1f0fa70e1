using Introspection.Programs;
using Introspection.Text;
using Symbols.Dwarf.Lines;

namespace Introspection.Calls;

/// <summary>Where a call came from, for people.</summary>
public static class CallerText
{
    /// <summary>"main+0x42 (main.c:17)", or the return address where there is no name; a tail call's caller is the one that is returned to.</summary>
    public static string Of(FunctionCall call, ISymbolSource symbols) => Of(call.ReturnAddress, symbols);

    /// <summary>The same by the call's return address; 0: unknown.</summary>
    public static string Of(ulong returnAddress, ISymbolSource symbols)
    {
        if (returnAddress == 0) return "?";
        // Behind a call may be another function: the call itself is what is named, and its end what the offset says.
        ulong within = returnAddress - 1;
        string place = symbols.NameOf(within, out ulong offset) is { } name ? $"{name}+0x{offset + 1:x}" : Hexadecimal.Of(returnAddress);
        return symbols.LineOf(within) is { } line ? $"{place} ({SourcePath.FileName(line.Path)}:{line.Line})" : place;
    }
}
