using System;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json.Nodes;

namespace TestKit;

/// <summary>Messages of the Debug Adapter Protocol on a stream, framed without the code that is being tested.</summary>
public static class DapMessages
{
    private const string LengthHeader = "Content-Length:", EndOfHeaders = "\r\n\r\n";

    /// <summary>Writes one, and flushes.</summary>
    /// <param name="stream">Where the server reads.</param>
    /// <param name="content">Its JSON.</param>
    public static void Write(Stream stream, string content)
    {
        stream.Write(Encode(content));
        stream.Flush();
    }

    /// <summary>The bytes of one.</summary>
    public static byte[] Encode(string content)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        return [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{LengthHeader} {bytes.Length}{EndOfHeaders}")), .. bytes];
    }

    /// <summary>Reads the next one; null at the end of the stream.</summary>
    /// <exception cref="FormatException">What comes is no message.</exception>
    /// <exception cref="EndOfStreamException">It ends in the middle of a message's content.</exception>
    public static JsonNode? Read(Stream stream) => ReadContent(stream) is { } content ? JsonNode.Parse(content) : null;

    /// <summary>The same as it was sent.</summary>
    /// <exception cref="FormatException">What comes is no message.</exception>
    /// <exception cref="EndOfStreamException">It ends in the middle of a message's content.</exception>
    public static string? ReadContent(Stream stream)
    {
        var header = new StringBuilder();
        while (!header.ToString().EndsWith(EndOfHeaders, StringComparison.Ordinal))
        {
            int next = stream.ReadByte();
            if (next < 0) return null;
            header.Append((char)next);
        }
        string text = header.ToString();
        if (!text.StartsWith(LengthHeader, StringComparison.Ordinal)) throw new FormatException($"no message: {text}");
        var content = new byte[int.Parse(text[LengthHeader.Length..].Trim(), CultureInfo.InvariantCulture)];
        stream.ReadExactly(content);
        return Encoding.UTF8.GetString(content);
    }
}
