using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Symbols.Dwarf.Indexing;

/// <summary>A 64-bit sum that tells damage, not malice: eight bytes at a time, each step a bijection of the sum so far.</summary>
internal static class Checksum64
{
    private const ulong Multiplier = 0x9e3779b97f4a7c15;

    internal static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong sum = (ulong)bytes.Length * Multiplier;
        while (bytes.Length >= 8)
        {
            sum = Step(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        ulong tail = 0;
        for (int i = bytes.Length - 1; i >= 0; i--) tail = (tail << 8) | bytes[i];
        sum = Step(sum, tail);
        return (sum ^ (sum >> 29)) * Multiplier;
    }

    /// <summary>Two numbers into one.</summary>
    internal static ulong Combine(ulong a, ulong b) => Step(Step(Multiplier, a), b);

    private static ulong Step(ulong sum, ulong next) => BitOperations.RotateLeft((sum ^ next) * Multiplier, 31);
}
