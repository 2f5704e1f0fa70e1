using System;
using System.IO;
using System.Text;
using Vmm.Memory;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>The VGA text page as text: 80 columns, 25 rows, characters of code page 437.</summary>
internal static class TextScreen
{
    private const int Columns = 80, Rows = 25, MemorySizeBytes = 0x8000;

    // Code page 437 above ASCII; below 0x20 it has pictures that are of no use here.
    private const string UpperHalf =
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

    public static void Write(TextWriter output, Machine machine, bool asJson)
    {
        (int start, int cursor) = machine.TextScreen;
        var rows = new string[Rows];
        Span<byte> cell = stackalloc byte[2];
        var row = new StringBuilder();
        for (int y = 0; y < Rows; y++)
        {
            row.Clear();
            for (int x = 0; x < Columns; x++)
            {
                int offset = (start + y * Columns + x) * 2 % MemorySizeBytes;
                machine.Memory.Read(new GuestPhysicalAddress(PlatformLayout.VgaTextMemory + (ulong)offset), cell);
                row.Append(Character(cell[0]));
            }
            rows[y] = row.ToString().TrimEnd();
        }
        int place = cursor - start;
        if (!asJson)
        {
            foreach (string text in rows) output.WriteLine(text);
            return;
        }
        JsonText.WriteObject(output, json =>
        {
            json.WritePosition("position", machine.Position);
            json.WriteNumber("cursorRow", place / Columns);
            json.WriteNumber("cursorColumn", place % Columns);
            json.WriteStartArray("rows");
            foreach (string text in rows) json.WriteStringValue(text);
            json.WriteEndArray();
        });
    }

    private static char Character(byte code) => code switch
    {
        < 0x20 or 0x7F => ' ',
        < 0x80 => (char)code,
        _ => UpperHalf[code - 0x80],
    };
}
