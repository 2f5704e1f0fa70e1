using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Symbols.Dwarf.Indexing;

/// <summary>A 64-bit sum that tells damage, not malice: eight bytes at a time, each step a bijection of the sum so far.</summary>
internal static class Checksum64
{
    private const ulong Multiplier = 0x9e3779b97f4a7c15;

    /// <summary>What a sum over pieces begins with.</summary>
    internal const ulong Start = Multiplier;

    internal static ulong Of(ReadOnlySpan<byte> bytes)
    {
        int whole = bytes.Length & ~7;
        ulong tail = 0;
        for (int i = bytes.Length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i];
        return End(Step(Add(Start, bytes[..whole]), tail), (ulong)bytes.Length);
    }

    /// <summary>Goes on with a sum by a piece whose length is a multiple of 8.</summary>
    internal static ulong Add(ulong sum, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            sum = Step(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        return sum;
    }

    /// <summary>The sum of so many bytes, all of which were added.</summary>
    internal static ulong End(ulong sum, ulong length)
    {
        sum = Step(sum, length);
        return (sum ^ (sum >> 29)) * Multiplier;
    }

    /// <summary>Two numbers into one.</summary>
    internal static ulong Combine(ulong a, ulong b) => Step(Step(Multiplier, a), b);

    private static ulong Step(ulong sum, ulong next) => BitOperations.RotateLeft((sum ^ next) * Multiplier, 31);
}
