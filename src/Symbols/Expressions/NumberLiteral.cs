using System;
using System.Globalization;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>Numbers as C writes them (C17 6.4.4).</summary>
internal static class NumberLiteral
{
    /// <exception cref="ExpressionException">It is not a number, or too large.</exception>
    public static TypedValue Read(in Token token, int addressSizeBytes)
    {
        string text = token.Text.Replace("_", "", StringComparison.Ordinal);
        int radix = 10, start = 0;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) (radix, start) = (16, 2);
        else if (text.StartsWith("0b", StringComparison.OrdinalIgnoreCase)) (radix, start) = (2, 2);
        else if (text.Length > 1 && text[0] == '0' && char.IsAsciiDigit(text[1])) (radix, start) = (8, 1);
        if (radix != 16 && radix != 2 && text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0) return Real(text, token);

        int end = text.Length;
        while (end > start && text[end - 1] is 'u' or 'U' or 'l' or 'L') end--;
        string suffix = text[end..].ToLowerInvariant();
        if (end == start || Digits(text.AsSpan(start, end - start), radix) is not { } value) throw Bad(token, radix);
        if (suffix.Length == 0) return TypedValue.Untyped(value, Scalar.OfInteger(Smallest(value, isLong: false, isUnsigned: false, radix == 10, addressSizeBytes), value));
        bool isUnsigned = suffix.Contains('u', StringComparison.Ordinal);
        string rest = isUnsigned ? suffix.Remove(suffix.IndexOf('u', StringComparison.Ordinal), 1) : suffix;
        BaseType type = rest switch
        {
            "" => Smallest(value, false, isUnsigned, radix == 10, addressSizeBytes),
            "l" => Smallest(value, true, isUnsigned, radix == 10, addressSizeBytes),
            "ll" => isUnsigned || value > long.MaxValue ? CTypes.UnsignedLongLong : CTypes.LongLong,
            _ => throw Bad(token, radix),
        };
        return TypedValue.Of(Scalar.OfInteger(type, value));
    }

    // C17 6.4.4.1: the first of these that holds it; decimal ones without a suffix are signed. What no signed type holds is unsigned here, as compilers do with a warning.
    private static BaseType Smallest(ulong value, bool isLong, bool isUnsigned, bool isDecimal, int addressSizeBytes)
    {
        bool maySigned = !isUnsigned, mayUnsigned = isUnsigned || !isDecimal;
        if (!isLong && maySigned && value <= int.MaxValue) return CTypes.Int;
        if (!isLong && mayUnsigned && value <= uint.MaxValue) return CTypes.UnsignedInt;
        bool isLongWide = addressSizeBytes == 8;
        ulong longMaximum = isLongWide ? (ulong)long.MaxValue : int.MaxValue, unsignedMaximum = isLongWide ? ulong.MaxValue : uint.MaxValue;
        if (maySigned && value <= longMaximum) return CTypes.Long(addressSizeBytes);
        if (mayUnsigned && value <= unsignedMaximum) return CTypes.UnsignedLong(addressSizeBytes);
        if (maySigned && value <= long.MaxValue) return CTypes.LongLong;
        return isLongWide ? CTypes.UnsignedLong(addressSizeBytes) : CTypes.UnsignedLongLong;
    }

    private static ulong? Digits(ReadOnlySpan<char> digits, int radix)
    {
        ulong value = 0;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix) return null;
            UInt128 next = (UInt128)value * (uint)radix + (uint)digit;
            if (next > ulong.MaxValue) return null;
            value = (ulong)next;
        }
        return value;
    }

    private static TypedValue Real(string text, in Token token)
    {
        BaseType type = text[^1] switch { 'f' or 'F' => CTypes.Float, 'l' or 'L' => CTypes.LongDouble, _ => CTypes.Double };
        string digits = type == CTypes.Double ? text : text[..^1];
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value))
            throw new ExpressionException($"'{token.Text}' is not a number", token.Position);
        return TypedValue.Of(Scalar.OfReal(type, value));
    }

    private static ExpressionException Bad(in Token token, int radix) => radix == 8
        ? new ExpressionException($"'{token.Text}' is not an octal number of at most 64 bits, as which a 0 before digits is read", token.Position)
        : new ExpressionException($"'{token.Text}' is not a number of at most 64 bits", token.Position);
}
