using System;
using K4os.Compression.LZ4;

namespace Replay.Packages;

/// <summary>
/// Blocks of LZ4 (lz4_Block_format.md of its authors): several times as fast to write and to read as zlib, for a larger file. A library compresses what is ours; what is read may
/// be a stranger's, and is decompressed here, where no length is believed and nothing lies outside of a span.
/// </summary>
internal static class Lz4Block
{
    private const int MinimumMatch = 4;
    private const int InToken = 15;

    /// <summary>Bytes that a block needs at most.</summary>
    public static int MaximumLength(int length) => LZ4Codec.MaximumOutputSize(length);

    /// <summary>Compresses as fast as can be; returns the length of the block.</summary>
    /// <param name="source">At least one byte.</param>
    /// <param name="destination">At least <see cref="MaximumLength"/> bytes.</param>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination) => LZ4Codec.Encode(source, destination, LZ4Level.L00_FAST);

    /// <summary>Decompresses a block; false if it does not fill the destination exactly.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> block, Span<byte> destination) => TryDecompress(block, destination, out int length) && length == destination.Length;

    /// <summary>Decompresses a block of which only is known how long it is at most; false: it is damaged, or longer.</summary>
    /// <param name="block">As it is stored.</param>
    /// <param name="destination">Room.</param>
    /// <param name="to">How much of it was filled, in any case.</param>
    public static bool TryDecompress(ReadOnlySpan<byte> block, Span<byte> destination, out int to)
    {
        int from = 0;
        to = 0;
        while (from < block.Length)
        {
            int token = block[from++];
            int literals = token >> 4;
            if (literals == InToken && !TryReadLength(block, ref from, ref literals)) return false;
            if (literals > block.Length - from || literals > destination.Length - to) return false;
            block.Slice(from, literals).CopyTo(destination[to..]);
            from += literals;
            to += literals;
            // The last sequence has only literals.
            if (from == block.Length) return true;
            if (block.Length - from < 2) return false;
            int offset = block[from] | block[from + 1] << 8;
            from += 2;
            int match = token & InToken;
            if (match == InToken && !TryReadLength(block, ref from, ref match)) return false;
            match += MinimumMatch;
            if (offset == 0 || offset > to || match > destination.Length - to) return false;
            CopyMatch(destination, to, offset, match);
            to += match;
        }
        return false;
    }

    // A match may reach into what it writes: then it repeats what is there, twice as much each time.
    private static void CopyMatch(Span<byte> destination, int to, int offset, int length)
    {
        Span<byte> source = destination[(to - offset)..to];
        Span<byte> target = destination.Slice(to, length);
        while (source.Length < target.Length)
        {
            source.CopyTo(target);
            target = target[source.Length..];
            source = destination.Slice(to - offset, source.Length * 2);
        }
        source[..target.Length].CopyTo(target);
    }

    private static bool TryReadLength(ReadOnlySpan<byte> block, ref int from, ref int length)
    {
        while (from < block.Length)
        {
            int more = block[from++];
            length += more;
            if (length > Frame.MaxPayloadLength) return false;
            if (more < byte.MaxValue) return true;
        }
        return false;
    }
}
