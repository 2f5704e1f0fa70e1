using System;
using System.Text;
using Symbols.Images;

namespace Symbols.Dwarf.Macros;

internal enum MacroDirectiveKind : byte
{
    Define,
    Undefine,
    StartFile,
    EndFile,
}

/// <summary>One entry of macro information, without its text: a unit has tens of thousands.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Line">Where: in the file that is open, or of a file's beginning, the line that includes it.</param>
/// <param name="File">Of a file's beginning: its number in the line table; else that of the open file, or <see cref="NoFile"/>.</param>
/// <param name="Strings">Where its text is.</param>
/// <param name="TextOffset">There.</param>
internal readonly record struct MacroDirective(MacroDirectiveKind Kind, uint Line, uint File, SectionData? Strings, ulong TextOffset)
{
    internal const uint NoFile = uint.MaxValue;

    internal string Text => Strings?.StringAt(TextOffset) ?? "";

    /// <summary>The name alone.</summary>
    internal string Name
    {
        get
        {
            ReadOnlySpan<byte> text = Strings is null ? default : Strings.StringBytesAt(TextOffset);
            int end = text.IndexOfAny((byte)' ', (byte)'(');
            return Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
        }
    }
}
