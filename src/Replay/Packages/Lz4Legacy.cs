using System;
using System.Buffers.Binary;

namespace Replay.Packages;

/// <summary>
/// LZ4's legacy frames, which Linux unpacks (lib/decompress_unlz4.c; LZ4 Frame Format Description, "Legacy frame"): a magic number, then blocks of up to 8 MiB with their
/// packed sizes. A frame has no end of its own: it ends with the file, at a size of 0, or where another frame or archive begins.
/// </summary>
public static class Lz4Legacy
{
    private const uint Magic = 0x184C2102;
    private const int LargestBlockBytes = 8 << 20;

    /// <summary>What a block of that size may take packed (LZ4_compressBound).</summary>
    private const int LargestPackedBytes = LargestBlockBytes + (LargestBlockBytes / 255) + 16;
    private const int ShortestMatch = 4, LongLength = 15;

    /// <summary>Whether one begins there.</summary>
    public static bool IsFrame(ReadOnlySpan<byte> bytes) => bytes.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic;

    /// <summary>Unpacks the frame at the beginning. Returns how many bytes it takes.</summary>
    /// <param name="bytes">The frame and what follows it.</param>
    /// <param name="limitBytes">At most so many are unpacked.</param>
    /// <param name="unpacked">What was unpacked.</param>
    /// <param name="isWhole">That is all, and nothing was damaged.</param>
    public static int Unpack(ReadOnlySpan<byte> bytes, int limitBytes, out ReadOnlyMemory<byte> unpacked, out bool isWhole)
    {
        isWhole = true;
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
            isWhole = Lz4Block.TryDecompress(bytes.Slice(position, packed), output.AsSpan(length, most), out int count) && packed == size;
            length += count;
            position += packed;
            if (isWhole) continue;
            position = bytes.Length;
            break;
        }
        unpacked = output.AsMemory(0, length);
        return position;
    }
}
