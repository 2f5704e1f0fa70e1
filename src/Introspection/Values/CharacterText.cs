using System;
using System.Globalization;
using System.Text;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>Texts of programs between quotes: UTF-8, escaped as C does, cut when they are long.</summary>
internal static class CharacterText
{
    private const int MaximumBytes = 200;

    /// <summary>Up to the first zero; null: there is no memory at all.</summary>
    public static string? At(ulong address, IExpressionEnvironment environment)
    {
        var bytes = new byte[MaximumBytes + 1];
        int count = environment.Read(address, false, bytes);
        if (count == 0) return null;
        int end = Array.IndexOf(bytes, (byte)0, 0, count);
        if (end >= 0 && end <= MaximumBytes) return Quoted(bytes.AsSpan(0, end));
        return Quoted(bytes.AsSpan(0, Math.Min(count, MaximumBytes))) + (count < bytes.Length ? "<no memory behind>" : "...");
    }

    /// <summary>So many bytes of text, as of Rust's strings; null: they cannot be read.</summary>
    public static string? At(ulong address, ulong length, IExpressionEnvironment environment)
    {
        var bytes = new byte[(int)Math.Min(length, MaximumBytes)];
        if (environment.Read(address, false, bytes) != bytes.Length) return null;
        return Quoted(bytes) + (length > MaximumBytes ? "..." : "");
    }

    /// <summary>An array of characters, without the zeros at its end; null: it cannot be read.</summary>
    public static string? OfArray(TypedValue value, ArrayType array, IExpressionEnvironment environment)
    {
        ulong count = array.Count ?? 0;
        var bytes = new byte[(int)Math.Min(count, MaximumBytes)];
        if (!value.TryRead(environment, bytes)) return null;
        int end = Array.IndexOf(bytes, (byte)0);
        // What is behind the zero counts only where it is not zero itself.
        bool isTextOnly = end >= 0 && bytes.AsSpan(end).IndexOfAnyExcept((byte)0) < 0;
        if (isTextOnly) return Quoted(bytes.AsSpan(0, end));
        if (end > 0) return $"{Quoted(bytes.AsSpan(0, end))}, and more behind its end";
        return Quoted(bytes) + (count > MaximumBytes ? "..." : "");
    }

    public static string Quoted(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("\"");
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int used) != System.Buffers.OperationStatus.Done)
            {
                text.Append(CultureInfo.InvariantCulture, $"\\x{bytes[0]:x2}");
                bytes = bytes[1..];
                continue;
            }
            text.Append(Escaped(rune, '"'));
            bytes = bytes[used..];
        }
        return text.Append('"').ToString();
    }

    /// <summary>A character's number as C writes it: <c>'a'</c>. A byte above 0x7f is a part of one.</summary>
    public static string Character(ulong code, bool isByte = true)
    {
        if (isByte && code is >= 0x80 and < 0x100) return $"'\\x{code:x2}'";
        return Rune.IsValid((uint)code) && code <= uint.MaxValue ? $"'{Escaped(new Rune((uint)code), '\'')}'" : $"'\\x{code:x}'";
    }

    private static string Escaped(Rune rune, char quote)
    {
        if (rune.Value == quote) return $"\\{quote}";
        return rune.Value switch
        {
            '\\' => "\\\\", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", 0 => "\\0", 27 => "\\e", 7 => "\\a", 8 => "\\b",
            _ when rune.Value < 0x80 && Rune.IsControl(rune) => $"\\x{rune.Value:x2}",
            _ when Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                => $"\\u{{{rune.Value:x}}}",
            _ => rune.ToString(),
        };
    }
}
