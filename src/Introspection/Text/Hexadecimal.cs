using System;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Introspection.Text;

/// <summary>Numbers as the debugger writes them.</summary>
public static class Hexadecimal
{
    /// <summary>"0x" and all digits of so many bits.</summary>
    public static string Padded(ulong value, int bits) => "0x" + value.ToString($"x{bits / 4}", CultureInfo.InvariantCulture);

    public static string Of(ulong value) => $"0x{value:x}";

    /// <summary>"48 89 e5"</summary>
    public static string Bytes(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length * 3);
        foreach (byte b in bytes) text.Append(text.Length > 0 ? " " : "").Append(b.ToString("x2", CultureInfo.InvariantCulture));
        return text.ToString();
    }

    /// <summary>Reads the digits that <c>{value:x}</c> gives, from a JSON string.</summary>
    public static bool TryRead<T>(JsonElement text, out T value) where T : struct, INumberBase<T>
    {
        value = default;
        return text.ValueKind == JsonValueKind.String && T.TryParse(text.GetString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>12,345,678</summary>
    public static string Grouped(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
