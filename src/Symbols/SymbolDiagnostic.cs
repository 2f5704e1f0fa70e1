namespace Symbols;

/// <summary>One thing that is wrong in a file, or that this reader does not support.</summary>
/// <param name="Section">The section's name, such as <c>.debug_line</c>; empty for the ELF headers.</param>
/// <param name="Offset">Bytes from the start of the section, as <c>readelf</c> shows them.</param>
/// <param name="Message">One sentence.</param>
public sealed record SymbolDiagnostic(string Section, ulong Offset, string Message)
{
    public override string ToString() => Section.Length == 0 ? Message : $"{Section}+0x{Offset:x}: {Message}";
}
