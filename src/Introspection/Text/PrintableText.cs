using System;
using System.Globalization;
using System.Text;

namespace Introspection.Text;

/// <summary>
/// Text of a stranger, as a recording's names and notes are, for a terminal: control characters, which it obeys, and characters that reorder or hide others are written
/// <c>\u001b</c>, as in JSON.
/// </summary>
public static class PrintableText
{
    /// <summary>On one line, whatever it was.</summary>
    public static string Of(string text)
    {
        if (FirstUnprintable(text) < 0) return text;
        var printable = new StringBuilder(text.Length + 16);
        foreach (char c in text) Append(printable, c);
        return printable.ToString();
    }

    /// <summary>Index of the first character that has to be written otherwise; -1: there is none.</summary>
    public static int FirstUnprintable(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
            if (!IsPrintable(text[i])) return i;
        return -1;
    }

    /// <summary>Writes one character, or what stands for it.</summary>
    public static void Append(StringBuilder destination, char c)
    {
        if (IsPrintable(c)) destination.Append(c);
        else destination.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
    }

    private static bool IsPrintable(char c) => c is >= ' ' and < '\x7F' || c > '\x9F'
        && char.GetUnicodeCategory(c) is not (UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
