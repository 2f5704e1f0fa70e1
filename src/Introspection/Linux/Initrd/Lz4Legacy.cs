using System;
using System.Buffers.Binary;

namespace Introspection.Linux.Initrd;

/// <summary>
/// LZ4's legacy frames, which Linux unpacks (lib/decompress_unlz4.c; LZ4 Frame Format Description, "Legacy frame"): a magic number, then blocks of up to 8 MiB with their
/// packed sizes. A frame has no end of its own: it ends with the file, at a size of 0, or where another frame or archive begins.
/// </summary>
internal static class Lz4Legacy
{
    private const uint Magic = 0x184C2102;
    private const int LargestBlockBytes = 8 << 20;

    /// <summary>What a block of that size may take packed (LZ4_compressBound).</summary>
    private const int LargestPackedBytes = LargestBlockBytes + (LargestBlockBytes / 255) + 16;
    private const int ShortestMatch = 4, LongLength = 15;

    internal static bool IsFrame(ReadOnlySpan<byte> bytes) => bytes.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic;

    /// <summary>Unpacks the frame at the beginning. Returns how many bytes it takes.</summary>
    /// <param name="bytes">The frame and what follows it.</param>
    /// <param name="limitBytes">At most so many are unpacked.</param>
    /// <param name="unpacked">What was unpacked.</param>
    /// <param name="problem">Why that is not all; null: it is.</param>
    internal static int Unpack(ReadOnlySpan<byte> bytes, int limitBytes, out ReadOnlyMemory<byte> unpacked, out string? problem)
    {
        problem = null;
        int position = 4, length = 0;
        byte[] output = [];
        while (bytes.Length - position >= 4)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[position..]);
            // What is no size belongs to what comes next.
            if (size is 0 or > LargestPackedBytes) break;
            position += 4;
            int packed = (int)Math.Min(size, (uint)(bytes.Length - position)), room = Math.Min(LargestBlockBytes, limitBytes - length);
            // A sequence of n bytes makes at most 255 times as many.
            int most = (int)Math.Min(room, packed * 255L + ShortestMatch + LongLength);
            if (output.Length - length < most) Array.Resize(ref output, (int)Math.Min(limitBytes, Math.Max(length + (long)most, output.Length * 2L)));
            bool isWhole = TryUnpackBlock(bytes.Slice(position, packed), output.AsSpan(length, most), out int count);
            length += count;
            position += packed;
            if (isWhole && packed == size) continue;
            problem = length >= limitBytes ? $"The initrd unpacks to more than {limitBytes >> 20} MiB; the rest is left out." : "The initrd's LZ4 data is damaged.";
            position = bytes.Length;
            break;
        }
        unpacked = output.AsMemory(0, length);
        return position;
    }

    // LZ4 Block Format Description: sequences of literals and a match each; the last one has literals only.
    private static bool TryUnpackBlock(ReadOnlySpan<byte> packed, Span<byte> output, out int count)
    {
        count = 0;
        for (int at = 0; at < packed.Length;)
        {
            byte token = packed[at++];
            int literals = token >> 4;
            if (!TryLength(packed, ref at, ref literals) || literals > packed.Length - at || literals > output.Length - count) return false;
            packed.Slice(at, literals).CopyTo(output[count..]);
            at += literals;
            count += literals;
            if (at == packed.Length) return true;
            if (packed.Length - at < 2) return false;
            int distance = BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]), match = token & LongLength;
            at += 2;
            if (!TryLength(packed, ref at, ref match) || distance == 0 || distance > count) return false;
            match += ShortestMatch;
            if (match > output.Length - count) return false;
            // A match may reach into itself: it repeats then.
            for (int i = 0; i < match; i++, count++) output[count] = output[count - distance];
        }
        return false;
    }

    private static bool TryLength(ReadOnlySpan<byte> packed, ref int at, ref int length)
    {
        if (length != LongLength) return true;
        byte next;
        do
        {
            if (at >= packed.Length || length > LargestBlockBytes) return false;
            length += next = packed[at++];
        }
        while (next == 255);
        return true;
    }
}
