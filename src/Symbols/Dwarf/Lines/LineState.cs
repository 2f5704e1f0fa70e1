namespace Symbols.Dwarf.Lines;

/// <summary>A place in a line program from which it can be gone on with: the registers (DWARF 5, 6.2.2) before an opcode.</summary>
/// <param name="Position">Of the opcode, from the program's header on.</param>
/// <param name="Address">The register <c>address</c>.</param>
/// <param name="OperationIndex"><c>op_index</c>.</param>
/// <param name="File"><c>file</c>.</param>
/// <param name="Line"><c>line</c>.</param>
/// <param name="Column"><c>column</c>.</param>
/// <param name="Discriminator"><c>discriminator</c>.</param>
/// <param name="Flags">The registers of one bit.</param>
internal readonly record struct LineState(
    int Position, ulong Address, uint OperationIndex, uint File, uint Line, uint Column, uint Discriminator, LineRowFlags Flags);
