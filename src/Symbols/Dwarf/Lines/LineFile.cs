namespace Symbols.Dwarf.Lines;

/// <summary>One file of a line table, as it is encoded.</summary>
/// <param name="Name">Relative to its directory, or absolute.</param>
/// <param name="DirectoryIndex">An index into <see cref="LineTable.Directories"/>.</param>
public readonly record struct LineFile(string Name, ulong DirectoryIndex);
