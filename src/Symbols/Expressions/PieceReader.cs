using System;
using System.Collections.Generic;
using Symbols.Dwarf.Expressions;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Expressions;

/// <summary>Puts a value together from registers, memory and constants.</summary>
internal static class PieceReader
{
    private const int MaximumSizeBytes = 1 << 16;

    public static TypedValue Read(DebugType type, IReadOnlyList<LocationPiece> pieces, IUnwindContext context, Func<int, string?> registerName)
    {
        int size = TypedValue.SizeOf(type);
        if (size is 0 or > MaximumSizeBytes) return TypedValue.Missing(type, "its size is not known");
        var bytes = new byte[size];
        ulong at = 0;
        foreach (LocationPiece piece in pieces)
        {
            ulong bits = piece.BitSize > 0 ? piece.BitSize : (ulong)size * 8 - at;
            if (piece.Kind == PieceKind.OptimizedOut) return TypedValue.Missing(type, "partly optimised out");
            if (piece.Kind == PieceKind.ImplicitPointer) return TypedValue.Missing(type, "optimised out: it points to something that is not in memory");
            if (at + bits > (ulong)size * 8) bits = (ulong)size * 8 - at;
            for (ulong done = 0; done < bits; done += 8)
            {
                uint count = (uint)Math.Min(8, bits - done);
                if (Bits(piece, piece.BitOffset + done, count, context) is not { } value) return TypedValue.Missing(type, Why(piece));
                Put(bytes, at + done, count, value);
            }
            at += bits;
        }
        if (at < (ulong)size * 8 && pieces is not [{ Kind: PieceKind.Implicit }]) return TypedValue.Missing(type, "partly optimised out");
        return pieces is [{ Kind: PieceKind.Register, BitOffset: 0 } whole] && registerName((int)whole.Number) is { } name
            ? TypedValue.InRegister(type, bytes, name) : TypedValue.Of(type, bytes);
    }

    private static string Why(in LocationPiece piece) => piece.Kind == PieceKind.Memory ? $"no memory can be read at 0x{piece.Number:x}" : "its register is not known here";

    // At most 8 bits, which may lie across two bytes.
    private static byte? Bits(in LocationPiece piece, ulong bit, uint count, IUnwindContext context)
    {
        uint within = (uint)(bit % 8);
        if (Byte(piece, bit / 8, context) is not { } low) return null;
        uint both = low;
        if (within + count > 8)
        {
            if (Byte(piece, bit / 8 + 1, context) is not { } high) return null;
            both |= (uint)high << 8;
        }
        return (byte)(both >> (int)within & ((1u << (int)count) - 1));
    }

    private static byte? Byte(in LocationPiece piece, ulong offset, IUnwindContext context)
    {
        switch (piece.Kind)
        {
            case PieceKind.Memory:
                return context.TryReadMemory(piece.Number + offset, 1, out ulong value) ? (byte)value : null;
            case PieceKind.Register:
                return offset < 8 && context.TryReadRegister((int)piece.Number, out ulong register) ? (byte)(register >> (int)(offset * 8)) : null;
            default:
                // A constant is given as short as it can be.
                return offset < (ulong)piece.Bytes.Length ? piece.Bytes.Span[(int)offset] : (byte)0;
        }
    }

    private static void Put(byte[] bytes, ulong bit, uint count, byte value)
    {
        for (uint i = 0; i < count; i++)
            if ((value >> (int)i & 1) != 0) bytes[(bit + i) / 8] |= (byte)(1 << (int)((bit + i) % 8));
    }
}
