using System;
using Symbols.Dwarf.Expressions;

namespace Symbols.Variables;

/// <summary>Gathers a value's bytes from wherever its location says that they are.</summary>
public static class ValueReader
{
    /// <summary>Longer values are read in part: by their address, where they have one.</summary>
    public const int MaximumBytes = 1 << 20;

    // The widest of x86: ZMM.
    private const int RegisterBytes = 64;

    /// <summary>The bytes of a value of that size. What is optimized out or cannot be read is marked as unknown.</summary>
    public static ValueBytes Read(ValueLocation location, ulong sizeBytes, ILocationContext context)
    {
        if (location.Problem is { } reason) return new ValueBytes([], null, reason);
        if (sizeBytes > MaximumBytes) return new ValueBytes([], null, $"The value has {sizeBytes} bytes, which is too many to read at once.");
        byte[] bytes = new byte[sizeBytes];
        byte[] unknown = new byte[sizeBytes];
        Array.Fill(unknown, (byte)0xff);
        string? problem = null;
        ulong total = sizeBytes * 8;
        ulong position = 0;
        foreach (LocationPiece piece in location.Pieces)
        {
            if (position >= total) break;
            ulong bits = piece.BitSize == 0 ? total - position : Math.Min(piece.BitSize, total - position);
            CopyPiece(piece, bits, bytes, unknown, position, context, ref problem);
            position += bits;
        }
        bool isComplete = Array.TrueForAll(unknown, static mask => mask == 0);
        return new ValueBytes(bytes, isComplete ? null : unknown, problem);
    }

    /// <summary>
    /// A bit-field as a number: bits of a record's bytes, sign-extended where its type is signed; null if one of them is unknown or not there.
    /// </summary>
    public static ulong? BitField(ValueBytes record, ulong bitOffset, uint bitSize, bool isSigned)
    {
        if (bitSize is 0 or > 64 || bitOffset > (ulong)record.Bytes.Length * 8 || bitSize > ((ulong)record.Bytes.Length * 8) - bitOffset) return null;
        ulong value = 0;
        for (uint i = 0; i < bitSize; i++)
        {
            ulong bit = bitOffset + i;
            int mask = 1 << (int)(bit % 8);
            if (record.Unknown is not null && (record.Unknown[bit / 8] & mask) != 0) return null;
            if ((record.Bytes[bit / 8] & mask) != 0) value |= 1ul << (int)i;
        }
        int shift = 64 - (int)bitSize;
        return isSigned ? (ulong)((long)(value << shift) >> shift) : value;
    }

    private static void CopyPiece(
        in LocationPiece piece, ulong bits, byte[] bytes, byte[] unknown, ulong position, ILocationContext context, ref string? problem)
    {
        switch (piece.Kind)
        {
            case PieceKind.Memory:
                int first = (int)(piece.BitOffset / 8);
                byte[] memory = new byte[(int)((piece.BitOffset % 8) + bits + 7) / 8];
                int read = ReadMemory(context, piece.Number + (ulong)first, memory);
                if (read < memory.Length) problem ??= $"The {memory.Length} bytes at 0x{piece.Number + (ulong)first:x} cannot be read.";
                CopyBits(memory.AsSpan(0, read), piece.BitOffset % 8, bits, bytes, unknown, position);
                break;
            case PieceKind.Register:
                Span<byte> register = stackalloc byte[RegisterBytes];
                int known = context.ReadRegister((int)Math.Min(piece.Number, int.MaxValue), register);
                CopyBits(register[..known], piece.BitOffset, bits, bytes, unknown, position);
                break;
            case PieceKind.Implicit:
                CopyBits(piece.Bytes.Span, piece.BitOffset, bits, bytes, unknown, position);
                // A constant is given as short as it can be.
                if (bits == (ulong)bytes.Length * 8) Array.Clear(unknown);
                break;
        }
    }

    private static int ReadMemory(IUnwindContext context, ulong address, byte[] bytes)
    {
        int done = 0;
        while (done < bytes.Length)
        {
            int size = Math.Min(8, bytes.Length - done);
            if (!context.TryReadMemory(address + (ulong)done, size, out ulong value)) return done;
            for (int i = 0; i < size; i++) bytes[done + i] = (byte)(value >> (i * 8));
            done += size;
        }
        return done;
    }

    private static void CopyBits(ReadOnlySpan<byte> from, ulong fromBit, ulong bits, byte[] bytes, byte[] unknown, ulong position)
    {
        ulong available = (ulong)from.Length * 8;
        if (fromBit >= available) return;
        bits = Math.Min(bits, available - fromBit);
        ulong done = 0;
        if (fromBit % 8 == 0 && position % 8 == 0)
        {
            int count = (int)(bits / 8);
            from.Slice((int)(fromBit / 8), count).CopyTo(bytes.AsSpan((int)(position / 8)));
            unknown.AsSpan((int)(position / 8), count).Clear();
            done = (ulong)count * 8;
        }
        for (; done < bits; done++)
        {
            ulong source = fromBit + done, target = position + done;
            int mask = 1 << (int)(target % 8);
            if ((from[(int)(source / 8)] & (1 << (int)(source % 8))) != 0) bytes[target / 8] |= (byte)mask;
            unknown[target / 8] &= (byte)~mask;
        }
    }
}
