using System;
using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gdb.Packets;

/// <summary>Numbers, bytes and texts as the protocol writes them.</summary>
internal static class Hexadecimal
{
    public const string Digits = "0123456789abcdef";

    /// <summary>0..15; -1: not a digit.</summary>
    public static int Digit(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };

    /// <summary>A number of at most 16 digits, big end first.</summary>
    public static bool TryNumber(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    /// <summary>Two digits a byte.</summary>
    public static bool TryBytes(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = new byte[text.Length / 2];
        return text.Length % 2 == 0 && Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done;
    }

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static string OfText(string text) => Of(Encoding.UTF8.GetBytes(text));
}
