using System;
using System.Text;

namespace Symbols.Kallsyms;

/// <summary>The 256 pieces that names are put together from (the kernel's scripts/kallsyms.c: <c>kallsyms_token_table</c> and <c>kallsyms_token_index</c>).</summary>
internal sealed class KallsymsTokens
{
    private const int Count = 256;

    // Longer than any that the kernel's script makes.
    private const int MaximumTokenBytes = 128;

    private readonly byte[][] _tokens;

    private KallsymsTokens(byte[][] tokens, ulong tableAddress, ulong indexAddress)
    {
        _tokens = tokens;
        TableAddress = tableAddress;
        IndexAddress = indexAddress;
    }

    /// <summary>
    /// What every token table has somewhere: digits occur in names by themselves, so that they stand for themselves, one after the other.
    /// </summary>
    internal static ReadOnlySpan<byte> Digits => "0\01\02\03\04\05\06\07\08\09\0"u8;

    internal ulong TableAddress { get; }

    internal ulong IndexAddress { get; }

    internal ReadOnlySpan<byte> this[byte index] => _tokens[index];

    /// <summary>The table around a place where <see cref="Digits"/> were found; null: it is none.</summary>
    internal static KallsymsTokens? Around(Images.IMemoryReader memory, ulong digits)
    {
        Span<byte> bytes = stackalloc byte[16 << 10];
        bytes = bytes[..memory.Read(digits, bytes)];
        if (IndexBehind(bytes, digits) is not { } index) return null;
        Span<byte> table = stackalloc byte[2 * Count];
        if (memory.Read(index, table) != table.Length) return null;
        ulong before = BitConverter.ToUInt16(table[(2 * '0')..]);
        return before > digits ? null : Parse(memory, digits - before, index, table);
    }

    // The table of where each token begins follows the last token, aligned.
    private static ulong? IndexBehind(ReadOnlySpan<byte> bytes, ulong address)
    {
        int position = 0;
        for (int token = '0'; token < Count; token++)
        {
            int length = bytes[position..].IndexOf((byte)0);
            if (length is < 0 or > MaximumTokenBytes) return null;
            position += length + 1;
        }
        return (address + (ulong)position + 7) & ~7UL;
    }

    private static KallsymsTokens? Parse(Images.IMemoryReader memory, ulong table, ulong index, ReadOnlySpan<byte> offsets)
    {
        if (index <= table || index - table > 1 << 16) return null;
        byte[] bytes = new byte[index - table];
        if (memory.Read(table, bytes) != bytes.Length) return null;
        var tokens = new byte[Count][];
        int position = 0;
        for (int i = 0; i < Count; i++)
        {
            if (BitConverter.ToUInt16(offsets[(2 * i)..]) != position || position >= bytes.Length) return null;
            int length = bytes.AsSpan(position).IndexOf((byte)0);
            if (length < 0 || length > MaximumTokenBytes) return null;
            tokens[i] = bytes[position..(position + length)];
            position += length + 1;
        }
        return new KallsymsTokens(tokens, table, index);
    }

    /// <summary>A name from its compressed bytes, its type letter first; null: it is none, or longer than <paramref name="scratch"/>.</summary>
    internal string? Expand(ReadOnlySpan<byte> compressed, Span<byte> scratch)
    {
        int length = 0;
        foreach (byte piece in compressed)
        {
            byte[] token = _tokens[piece];
            if (length + token.Length > scratch.Length) return null;
            token.CopyTo(scratch[length..]);
            length += token.Length;
        }
        return length < 2 || !char.IsAsciiLetter((char)scratch[0]) && scratch[0] != '?' ? null : Encoding.UTF8.GetString(scratch[..length]);
    }
}
