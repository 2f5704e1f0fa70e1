namespace Symbols.Dwarf.Lines;

/// <summary>One place in the code that a source line was compiled to.</summary>
/// <param name="Address">Linear address.</param>
/// <param name="Path">The file as the compiler saw it.</param>
/// <param name="Line">The line.</param>
/// <param name="Column">From 1; 0 means unknown.</param>
/// <param name="Flags">What the row says.</param>
/// <param name="HasCode">False where the next row has the same address: the line left no instruction of its own there.</param>
public readonly record struct LineAddress(ulong Address, string Path, uint Line, uint Column, LineRowFlags Flags, bool HasCode)
{
    public bool IsStatement => (Flags & LineRowFlags.IsStatement) != 0;
}
