using System;
using System.Globalization;

namespace Introspection.Layouts;

/// <summary>Places as layouts and users name them.</summary>
internal static class SymbolPlace
{
    /// <summary>"symbol", "symbol+0x10" or a number; null: the symbol is unknown.</summary>
    public static ulong? Resolve(string text, Func<string, ulong?> addressOf)
    {
        int plus = text.IndexOf('+', StringComparison.Ordinal);
        string name = (plus < 0 ? text : text[..plus]).Trim();
        ulong? offset = plus < 0 ? 0 : ParseNumber(text[(plus + 1)..].Trim());
        return offset is null ? null : (ParseNumber(name) ?? addressOf(name)) + offset;
    }

    private static ulong? ParseNumber(string text) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong hex) ? hex : null
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null;
}
