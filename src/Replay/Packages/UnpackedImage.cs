using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Replay.Packages;

/// <summary>
/// What is compressed within an image: the kernel in a Linux bzImage (Documentation/arch/x86/boot.rst, payload_offset), and a file that is a gzip file as a whole, as most initrds
/// are. A guest has it in memory, unpacked. gzip (RFC 1952) and LZ4's old format (lz4_Frame_format.md, "Legacy Frame") are known. Deterministic: recordings refer to the result.
/// </summary>
internal static class UnpackedImage
{
    /// <summary>A stranger's image may unpack to any size.</summary>
    private const int MaximumSizeBytes = 256 << 20;

    private const int SetupSectors = 0x1F1, HeaderMagic = 0x202, HeaderVersion = 0x206, PayloadOffset = 0x248, PayloadLength = 0x24C, HeaderEnd = 0x250;
    private const int SectorSizeBytes = 512, PayloadVersion = 0x208, DefaultSetupSectors = 4, SizeLength = 4;

    private static ReadOnlySpan<byte> GzipMagic => [0x1F, 0x8B, 0x08];

    /// <summary>Null: nothing is compressed there, or not in a way that is known, or it is damaged.</summary>
    public static byte[]? Of(ReadOnlyMemory<byte> image)
    {
        ReadOnlyMemory<byte> packed = KernelIn(image) ?? image;
        if (packed.Span.StartsWith(GzipMagic)) return UnpackGzip(packed);
        if (!Lz4Legacy.IsFrame(packed.Span)) return null;
        Lz4Legacy.Unpack(packed.Span, MaximumSizeBytes, out ReadOnlyMemory<byte> unpacked, out bool isWhole);
        return isWhole ? unpacked.ToArray() : null;
    }

    private static ReadOnlyMemory<byte>? KernelIn(ReadOnlyMemory<byte> image)
    {
        ReadOnlySpan<byte> bytes = image.Span;
        if (bytes.Length < HeaderEnd || !bytes[HeaderMagic..].StartsWith("HdrS"u8) || BinaryPrimitives.ReadUInt16LittleEndian(bytes[HeaderVersion..]) < PayloadVersion) return null;
        long setup = (bytes[SetupSectors] == 0 ? DefaultSetupSectors : bytes[SetupSectors]) + 1L;
        long offset = setup * SectorSizeBytes + BinaryPrimitives.ReadUInt32LittleEndian(bytes[PayloadOffset..]), length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[PayloadLength..]);
        if (offset > bytes.Length - length || length < SizeLength) return null;
        // Linux's build appends the unpacked size to all but gzip, which has it anyway.
        ReadOnlyMemory<byte> payload = image.Slice((int)offset, (int)length);
        return Lz4Legacy.IsFrame(payload.Span) ? payload[..^SizeLength] : payload;
    }

    private static byte[]? UnpackGzip(ReadOnlyMemory<byte> packed)
    {
        MemoryMarshal.TryGetArray(packed, out ArraySegment<byte> segment);
        using var gzip = new GZipStream(new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false), CompressionMode.Decompress);
        using var content = new MemoryStream();
        var piece = new byte[1 << 16];
        try
        {
            for (int count; (count = gzip.Read(piece)) > 0;)
            {
                if (content.Length + count > MaximumSizeBytes) return null;
                content.Write(piece, 0, count);
            }
        }
        catch (InvalidDataException)
        {
            return null;
        }
        return content.ToArray();
    }
}
