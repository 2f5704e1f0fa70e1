using System;
using System.IO;
using System.Text;

namespace Cli.Presentation;

/// <summary>Memory as rows of 16 bytes, in hexadecimal and as characters.</summary>
internal static class HexDump
{
    private const int RowLength = 16;

    /// <param name="output">Where to.</param>
    /// <param name="address">Of the first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="read">The byte at an address, or -1 where there is none.</param>
    public static void Write(TextWriter output, ulong address, int length, Func<ulong, int> read)
    {
        var hexadecimal = new StringBuilder();
        var characters = new StringBuilder();
        for (int done = 0; done < length; done += RowLength)
        {
            hexadecimal.Clear();
            characters.Clear();
            for (int i = 0; i < RowLength; i++)
            {
                if (i == 8) hexadecimal.Append(' ');
                if (done + i >= length)
                {
                    hexadecimal.Append("   ");
                    continue;
                }
                int value = read(address + (ulong)(done + i));
                hexadecimal.Append(value < 0 ? " ??" : $" {value:x2}");
                characters.Append(value is >= 0x20 and < 0x7F ? (char)value : value < 0 ? ' ' : '.');
            }
            output.WriteLine($"{address + (ulong)done:x16} {hexadecimal}  |{characters}|");
        }
    }
}
