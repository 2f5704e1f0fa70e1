using System;
using System.Globalization;
using System.Text;

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

    /// <summary>12,345,678</summary>
    public static string Grouped(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
