using System;
using System.Collections.Generic;
using System.Text;

namespace Symbols.Expressions;

/// <summary>Cuts an expression into words.</summary>
internal static class Lexer
{
    public const int MaximumLength = 4096;

    // The longest first.
    private static readonly string[] s_signs =
    [
        "<<=", ">>=", "->", "::", "..", "||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "##",
        "|", "^", "&", "<", ">", "+", "-", "*", "/", "%", "~", "!", "(", ")", "[", "]", ".", ",", "?", ":", "=", "@", "{", "}",
    ];

    /// <summary>All words, and one of the kind <see cref="TokenKind.End"/>. What cannot be read is a sign that nothing understands.</summary>
    public static List<Token> Read(string text)
    {
        if (text.Length > MaximumLength) throw new ExpressionException($"the expression is longer than {MaximumLength} characters", MaximumLength);
        var tokens = new List<Token>();
        int at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
            if (at >= text.Length) break;
            Token token = Next(text, at);
            tokens.Add(token);
            at = token.End;
        }
        tokens.Add(new Token(TokenKind.End, text.Length, text.Length, ""));
        return tokens;
    }

    private static Token Next(string text, int at)
    {
        char c = text[at];
        if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]))) return Number(text, at);
        if (IsNameStart(c)) return Word(TokenKind.Name, text, at, at);
        // A dollar sign before a number means nothing, as it always did.
        if (c == '$' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])) return Number(text, at + 1) with { Position = at };
        if (c == '$') return Word(TokenKind.Register, text, at, at + 1);
        if (c == '\'') return Quoted(TokenKind.Character, text, at);
        if (c == '"') return Quoted(TokenKind.Text, text, at);
        foreach (string sign in s_signs)
            if (text.AsSpan(at).StartsWith(sign, StringComparison.Ordinal)) return new Token(TokenKind.Sign, at, at + sign.Length, sign);
        return new Token(TokenKind.Sign, at, at + 1, text.Substring(at, 1));
    }

    private static Token Word(TokenKind kind, string text, int at, int first)
    {
        int end = first;
        while (end < text.Length && IsNamePart(text[end])) end++;
        return new Token(kind, at, end, text[first..end]);
    }

    public static bool IsNameStart(char c) => char.IsLetter(c) || c == '_';

    public static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c == '_';

    private static Token Number(string text, int at)
    {
        int end = at;
        bool isHexadecimal = text.AsSpan(at).StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        while (end < text.Length)
        {
            char c = text[end];
            bool isExponentSign = c is '+' or '-' && !isHexadecimal && end > at && text[end - 1] is 'e' or 'E' && end + 1 < text.Length && char.IsAsciiDigit(text[end + 1]);
            // 0..8 is a slice, not 0. and .8.
            bool isPoint = c == '.' && !isHexadecimal && (end + 1 >= text.Length || text[end + 1] != '.');
            if (!IsNamePart(c) && !isExponentSign && !isPoint) break;
            end++;
        }
        return new Token(TokenKind.Number, at, end, text[at..end]);
    }

    private static Token Quoted(TokenKind kind, string text, int at)
    {
        char quote = text[at];
        var spelled = new StringBuilder();
        int i = at + 1;
        while (i < text.Length && text[i] != quote)
        {
            if (text[i] == '\\' && i + 1 < text.Length) spelled.Append(Escaped(text, ref i));
            else if (char.IsAscii(text[i])) spelled.Append(text[i++]);
            else i += AppendEncoded(spelled, text, i);
        }
        if (i >= text.Length) throw new ExpressionException($"a {quote} is missing", at);
        return new Token(kind, at, i + 1, spelled.ToString());
    }

    // Texts of programs are UTF-8.
    private static int AppendEncoded(StringBuilder spelled, string text, int at)
    {
        int length = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
        foreach (byte b in Encoding.UTF8.GetBytes(text, at, length)) spelled.Append((char)b);
        return length;
    }

    // C17 6.4.4.4. The result is one byte.
    private static char Escaped(string text, ref int at)
    {
        char c = text[at + 1];
        at += 2;
        if (c is >= '0' and <= '7')
        {
            int octal = c - '0';
            for (int i = 0; i < 2 && at < text.Length && text[at] is >= '0' and <= '7'; i++) octal = octal * 8 + (text[at++] - '0');
            return (char)(octal & 0xFF);
        }
        if (c == 'x')
        {
            int value = 0, start = at;
            while (at < text.Length && char.IsAsciiHexDigit(text[at])) value = (value * 16 + Convert.ToInt32(text[at++].ToString(), 16)) & 0xFF;
            if (at == start) throw new ExpressionException("\\x needs hexadecimal digits", at - 2);
            return (char)value;
        }
        return c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'a' => '\a', 'b' => '\b', 'f' => '\f', 'v' => '\v', 'e' => '\x1b', _ => char.IsAscii(c) ? c : '?' };
    }
}
