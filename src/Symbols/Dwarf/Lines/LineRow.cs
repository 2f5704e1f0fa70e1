using System;

namespace Symbols.Dwarf.Lines;

/// <summary>What a row of a line table says beyond its address and place (DWARF 5, 6.2.2).</summary>
[Flags]
public enum LineRowFlags : byte
{
    None = 0,

    /// <summary><c>is_stmt</c>: a recommended place for a breakpoint.</summary>
    IsStatement = 1,
    BasicBlock = 2,

    /// <summary>The first address after a sequence; the row's file and line mean nothing.</summary>
    EndSequence = 4,
    PrologueEnd = 8,
    EpilogueBegin = 16,
}

/// <summary>One row of a line table: from this address up to the next row's.</summary>
/// <param name="Address">Linear address.</param>
/// <param name="File">An index for <see cref="LineTable.FilePath"/>.</param>
/// <param name="Line">From 1; 0 means that the code belongs to no line.</param>
/// <param name="Column">From 1; 0 means unknown.</param>
/// <param name="Discriminator">Tells blocks of one line apart.</param>
/// <param name="OperationIndex">For VLIW machines; 0 on x86.</param>
/// <param name="Flags">What else is known.</param>
public readonly record struct LineRow(
    ulong Address, uint File, uint Line, uint Column, uint Discriminator, byte OperationIndex, LineRowFlags Flags)
{
    public bool IsStatement => (Flags & LineRowFlags.IsStatement) != 0;

    public bool IsEndSequence => (Flags & LineRowFlags.EndSequence) != 0;

    public bool IsPrologueEnd => (Flags & LineRowFlags.PrologueEnd) != 0;
}
