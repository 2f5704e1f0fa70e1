namespace Symbols.Dwarf.Lines;

/// <summary>Where in the source an address comes from.</summary>
/// <param name="Path">As the compiler saw it; null if the file does not say.</param>
/// <param name="Line">From 1; 0 means that the code belongs to no line.</param>
/// <param name="Column">From 1; 0 means unknown.</param>
/// <param name="Range">The row's addresses: from here to there everything has this location.</param>
/// <param name="Flags">What the row says beyond that.</param>
public readonly record struct SourceLocation(string? Path, uint Line, uint Column, AddressRange Range, LineRowFlags Flags)
{
    public bool IsStatement => (Flags & LineRowFlags.IsStatement) != 0;

    public override string ToString() => $"{Path ?? "??"}:{Line}" + (Column == 0 ? "" : $":{Column}");
}
