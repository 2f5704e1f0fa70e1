using System;
using System.Collections.Generic;
using Symbols.Dwarf.Variables;

namespace Symbols.Variables;

/// <summary>Where a piece of a value is.</summary>
public enum PieceKind
{
    /// <summary>In memory, at a linear address.</summary>
    Memory,
    /// <summary>In a register, by DWARF's number.</summary>
    Register,
    /// <summary>Nowhere, but known: the debug information says its bytes.</summary>
    Implicit,
    /// <summary>A pointer to something that is not in memory, though what it points to may be known (DW_OP_implicit_pointer).</summary>
    ImplicitPointer,
    /// <summary>The compiler did not keep it.</summary>
    OptimizedOut,
}

/// <summary>A part of a value.</summary>
/// <param name="Kind">Where it is.</param>
/// <param name="Number">Address in memory, number of the register, or of an implicit pointer where the entry of what it points to is.</param>
/// <param name="Bytes">Of an implicit value.</param>
/// <param name="BitOffset">Where it begins in the register, memory or bytes, in bits; 0 as a rule.</param>
/// <param name="BitSize">Its size in bits; 0: the whole value.</param>
public readonly record struct LocationPiece(PieceKind Kind, ulong Number, ReadOnlyMemory<byte> Bytes, uint BitOffset, ulong BitSize)
{
    /// <summary>Of an implicit pointer, what it points to; null: the file does not say.</summary>
    public DebugVariable? Target { get; init; }

    /// <summary>Of an implicit pointer, how far from the first byte of <see cref="Target"/>.</summary>
    public long TargetOffset { get; init; }
}

/// <summary>Where a value is at one moment: one piece as a rule, several where the compiler spread it.</summary>
/// <param name="Pieces">From the value's first byte on; empty: optimized out altogether.</param>
/// <param name="Problem">One sentence where its location could not be worked out; null otherwise.</param>
public sealed record ValueLocation(IReadOnlyList<LocationPiece> Pieces, string? Problem = null)
{
    /// <summary>The compiler did not keep it.</summary>
    public static ValueLocation OptimizedOut { get; } = new([]);

    public bool IsOptimizedOut => Problem is null && (Pieces.Count == 0 || (Pieces.Count == 1 && Pieces[0].Kind == PieceKind.OptimizedOut));

    /// <summary>Its address, where all of it is in memory in one piece; null otherwise.</summary>
    public ulong? Address => Pieces is [{ Kind: PieceKind.Memory, BitOffset: 0 } piece] ? piece.Number : null;

    public static ValueLocation InMemory(ulong address) => new([new LocationPiece(PieceKind.Memory, address, default, 0, 0)]);
}
