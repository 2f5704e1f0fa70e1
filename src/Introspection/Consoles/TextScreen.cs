using System;
using System.Text;
using Vmm.Memory;
using Vmm.Platform;

namespace Introspection.Consoles;

/// <summary>The VGA text page as text: characters of code page 437.</summary>
/// <param name="Rows">Each without the blanks at its end.</param>
/// <param name="CursorRow">From 0; may lie outside, which hides the cursor.</param>
/// <param name="CursorColumn">From 0.</param>
public sealed record TextScreen(string[] Rows, int CursorRow, int CursorColumn)
{
    public const int ColumnCount = 80, RowCount = 25;
    private const int MemorySizeBytes = 0x8000;

    // Code page 437 above ASCII; below 0x20 it has pictures that are of no use here.
    private const string UpperHalf =
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

    /// <summary>What a machine shows.</summary>
    public static TextScreen Of(Machine machine)
    {
        (int start, int cursor) = machine.TextScreen;
        var rows = new string[RowCount];
        Span<byte> cell = stackalloc byte[2];
        var row = new StringBuilder();
        for (int y = 0; y < RowCount; y++)
        {
            row.Clear();
            for (int x = 0; x < ColumnCount; x++)
            {
                int offset = (start + y * ColumnCount + x) * 2 % MemorySizeBytes;
                machine.Memory.Read(new GuestPhysicalAddress(PlatformLayout.VgaTextMemory + (ulong)offset), cell);
                row.Append(Character(cell[0]));
            }
            rows[y] = row.ToString().TrimEnd();
        }
        int place = cursor - start;
        return new TextScreen(rows, place / ColumnCount, place % ColumnCount);
    }

    private static char Character(byte code) => code switch
    {
        < 0x20 or 0x7F => ' ',
        < 0x80 => (char)code,
        _ => UpperHalf[code - 0x80],
    };
}
