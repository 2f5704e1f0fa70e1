using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Kallsyms;

/// <summary>
/// Finds a 64-bit Linux kernel's symbol table in its memory with no symbol to start from (kernel/kallsyms_internal.h, scripts/kallsyms.c, 4.6 and later). The token table
/// is recognised by its shape; the number of symbols and their names lie before it, and are taken only if every name, every marker and the order of all addresses agree.
/// </summary>
public static class KallsymsFinder
{
    private const int ChunkSizeBytes = 1 << 20;
    private const int MaximumSymbols = 1 << 21;
    private const int MinimumSymbols = 256;
    private const int MaximumNameBytes = 1024;

    // Names and seqs of the largest kernels are 3 MiB.
    private const int MaximumTablesBytes = 24 << 20;

    /// <summary>The first table in the given ranges, which are read once from the beginning; null: there is none.</summary>
    /// <param name="memory">The kernel's memory.</param>
    /// <param name="ranges">Where its image may be.</param>
    public static KallsymsTable? Find(IMemoryReader memory, IEnumerable<AddressRange> ranges)
    {
        byte[] chunk = new byte[ChunkSizeBytes + 64];
        foreach (AddressRange range in ranges)
        {
            for (ulong at = range.Start; at < range.End; at += ChunkSizeBytes)
            {
                Span<byte> bytes = chunk.AsSpan(0, (int)Math.Min((ulong)chunk.Length, range.End - at));
                bytes = bytes[..memory.Read(at, bytes)];
                for (int start = 0; bytes[start..].IndexOf(KallsymsTokens.Digits) is >= 0 and int found; start += found + 1)
                    if (KallsymsTokens.Around(memory, at + (ulong)(start + found)) is { } tokens && Table(memory, tokens) is { } table) return table;
                if (range.End - at <= ChunkSizeBytes) break;
            }
        }
        return null;
    }

    private static KallsymsTable? Table(IMemoryReader memory, KallsymsTokens tokens)
    {
        byte[] before = ReadBefore(memory, tokens.TableAddress);
        // The number of symbols takes 8 bytes, the names follow. What looks like a number is tried, the nearest first.
        for (int at = before.Length - 16; at >= 0; at -= 8)
        {
            ulong number = BitConverter.ToUInt64(before, at);
            if (number is < MinimumSymbols or > MaximumSymbols || (ulong)(before.Length - at) / 2 < number) continue;
            if (Names(before.AsSpan(at + 8), (int)number, tokens) is not { } names) continue;
            ulong numberAddress = tokens.TableAddress - (ulong)(before.Length - at);
            foreach (ulong[] addresses in Addresses(memory, numberAddress, tokens.IndexAddress, (int)number))
                if (Checked(names, addresses, tokens) is { } table) return table;
        }
        return null;
    }

    // What is mapped before an address, up to a bound; memory is read in pieces from there downwards, as it may have holes.
    private static byte[] ReadBefore(IMemoryReader memory, ulong end)
    {
        const int piece = 1 << 16;
        byte[] bytes = new byte[MaximumTablesBytes];
        int start = bytes.Length;
        while (start >= piece && end > (ulong)(bytes.Length - start + piece))
        {
            if (memory.Read(end - (ulong)(bytes.Length - start) - piece, bytes.AsSpan(start - piece, piece)) != piece) break;
            start -= piece;
        }
        return bytes[start..];
    }

    private sealed record NameTable(string[] Names, char[] Types);

    private static NameTable? Names(ReadOnlySpan<byte> bytes, int count, KallsymsTokens tokens)
    {
        // First only the lengths, which are wrong nearly everywhere, then the markers, then what the names are.
        int[] markers = new int[(count + 255) / 256];
        int position = 0;
        for (int i = 0; i < count; i++)
        {
            if ((i & 255) == 0) markers[i >> 8] = position;
            if (!TryLength(bytes, ref position, out int length) || length > bytes.Length - position) return null;
            position += length;
        }
        if (!AreMarkersAt(bytes, (position + 7) & ~7, markers)) return null;

        string[] names = new string[count];
        char[] types = new char[count];
        Span<byte> scratch = stackalloc byte[MaximumNameBytes];
        position = 0;
        for (int i = 0; i < count; i++)
        {
            TryLength(bytes, ref position, out int length);
            if (tokens.Expand(bytes.Slice(position, length), scratch) is not { } name) return null;
            types[i] = name[0];
            names[i] = name[1..];
            position += length;
        }
        return new NameTable(names, types);
    }

    // One byte, or since 6.1 two where the first has its upper bit set.
    private static bool TryLength(ReadOnlySpan<byte> bytes, ref int position, out int length)
    {
        length = position < bytes.Length ? bytes[position++] : 0;
        if (length < 0x80) return length > 0;
        if (position >= bytes.Length) return false;
        length = (length & 0x7f) | (bytes[position++] << 7);
        return length > 0;
    }

    // The offset of every 256th name: 4 bytes each, 8 before 4.20.
    private static bool AreMarkersAt(ReadOnlySpan<byte> bytes, int position, int[] markers)
    {
        foreach (int size in (ReadOnlySpan<int>)[4, 8])
        {
            if (position > bytes.Length || (bytes.Length - position) / size < markers.Length) continue;
            bool isEqual = true;
            for (int i = 0; i < markers.Length && isEqual; i++)
            {
                ReadOnlySpan<byte> entry = bytes[(position + (i * size))..];
                isEqual = (size == 4 ? BitConverter.ToUInt32(entry) : BitConverter.ToUInt64(entry)) == (ulong)markers[i];
            }
            if (isEqual) return true;
        }
        return false;
    }

    // Where addresses may be: before the number of symbols, or since 6.4 behind the tokens' index. Offsets from a base, or (without CONFIG_KALLSYMS_BASE_RELATIVE) whole.
    private static IEnumerable<ulong[]> Addresses(IMemoryReader memory, ulong number, ulong tokenIndex, int count)
    {
        ulong offsetsSize = ((ulong)count * 4 + 7) & ~7UL;
        ulong behind = tokenIndex + 512;
        if (Relative(memory, number - 8 - offsetsSize, number - 8, count) is { } before) yield return before;
        if (Relative(memory, behind, behind + offsetsSize, count) is { } after) yield return after;
        if (Whole(memory, number - ((ulong)count * 8), count) is { } whole) yield return whole;
        if (Whole(memory, behind, count) is { } wholeAfter) yield return wholeAfter;
    }

    private static ulong[]? Relative(IMemoryReader memory, ulong offsets, ulong baseAddress, int count)
    {
        byte[] bytes = new byte[count * 4];
        Span<byte> number = stackalloc byte[8];
        if (memory.Read(baseAddress, number) != 8 || memory.Read(offsets, bytes) != bytes.Length) return null;
        ulong relativeBase = BitConverter.ToUInt64(number);
        // With per-CPU variables as absolute values, negative offsets are those from the base (kernel/kallsyms.c, kallsyms_sym_address).
        bool isAbsolutePerCpu = false;
        for (int i = 0; i < count && !isAbsolutePerCpu; i++) isAbsolutePerCpu = BitConverter.ToInt32(bytes, i * 4) < 0;
        ulong[] addresses = new ulong[count];
        for (int i = 0; i < count; i++)
        {
            int offset = BitConverter.ToInt32(bytes, i * 4);
            addresses[i] = !isAbsolutePerCpu ? relativeBase + (uint)offset : offset >= 0 ? (ulong)offset : relativeBase - 1 - (ulong)offset;
        }
        return addresses;
    }

    private static ulong[]? Whole(IMemoryReader memory, ulong at, int count)
    {
        byte[] bytes = new byte[count * 8];
        if (memory.Read(at, bytes) != bytes.Length) return null;
        ulong[] addresses = new ulong[count];
        Buffer.BlockCopy(bytes, 0, addresses, 0, bytes.Length);
        return addresses;
    }

    // Ascending addresses, and a kernel's beginning among the names at an address of the upper half.
    private static KallsymsTable? Checked(NameTable names, ulong[] addresses, KallsymsTokens tokens)
    {
        for (int i = 1; i < addresses.Length; i++)
            if (addresses[i] < addresses[i - 1]) return null;
        var table = new KallsymsTable(names.Names, names.Types, addresses, tokens.TableAddress);
        ulong text = table.AddressOf("_text") ?? table.AddressOf("_stext") ?? 0;
        return text >> 63 != 0 && (text & 0xfff) == 0 ? table : null;
    }
}
