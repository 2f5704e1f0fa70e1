using System;

namespace Replay.Packages;

/// <summary>Formats that a Linux kernel may unpack (lib/decompress.c) and ttvm does not, by how they begin.</summary>
public static class CompressionFormat
{
    /// <summary>null: none of them.</summary>
    public static string? NameOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD])) return "zstd";
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0])) return "xz";
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x5D, 0, 0])) return "lzma";
        if (bytes.StartsWith("BZh"u8)) return "bzip2";
        return bytes.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'L', (byte)'Z', (byte)'O']) ? "lzo" : null;
    }
}
