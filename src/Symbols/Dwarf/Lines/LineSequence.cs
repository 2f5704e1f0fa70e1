namespace Symbols.Dwarf.Lines;

/// <summary>Rows of contiguous code whose addresses only grow.</summary>
/// <param name="Range">From the first row to the end-of-sequence row.</param>
/// <param name="FirstRow">An index into <see cref="LineTable.Rows"/>.</param>
/// <param name="RowCount">The end-of-sequence row included.</param>
public readonly record struct LineSequence(AddressRange Range, int FirstRow, int RowCount);
