using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>
/// Opens a section's contents, decompressed where they are compressed: SHF_COMPRESSED with ELFCOMPRESS_ZLIB (gABI, "Section Compression")
/// and GNU's older <c>.zdebug_</c> sections. ELFCOMPRESS_ZSTD is named as unsupported: the base class library has no zstd.
/// </summary>
internal static class CompressedSection
{
    private const uint Zlib = 1;
    private const uint Zstd = 2;

    // Deflate cannot do better than about 1032 to 1 (zlib's technical details), so a header that promises more is wrong.
    private const ulong MaximumRatio = 1040;

    internal static SectionData Open(ImageSource source, ElfSection section, bool is64, DiagnosticLog diagnostics)
    {
        var empty = new SectionData(section.Name, section.Address, ReadOnlyMemory<byte>.Empty);
        if (section.Type == ElfSection.NoBitsType || section.SizeBytes == 0) return empty;
        if (section.Offset >= (ulong)source.Length)
        {
            diagnostics.Add(section.Name, 0, "The section lies beyond the end of the file.");
            return empty;
        }
        if (section.SizeBytes > (ulong)source.Length - section.Offset)
            diagnostics.Add(section.Name, 0, $"The section is {section.SizeBytes} bytes long, but the file ends before that.");
        long length = (long)Math.Min(section.SizeBytes, (ulong)source.Length - section.Offset);
        var raw = new SectionData(section.Name, section.Address, source, (long)section.Offset, length);
        if ((section.Flags & ElfSection.CompressedFlag) != 0) return Decompress(raw, is64, diagnostics) ?? empty;
        if (section.Name.StartsWith(".zdebug_", StringComparison.Ordinal)) return DecompressGnu(raw, diagnostics) ?? empty;
        // Small sections are kept: reading them piece by piece would cost more than it saves.
        return length <= 1 << 20 ? new SectionData(section.Name, section.Address, raw.All()) : raw;
    }

    private static SectionData? Decompress(SectionData raw, bool is64, DiagnosticLog diagnostics)
    {
        int headerSize = is64 ? 24 : 12;
        var reader = new DataReader(raw.Window(0, (ulong)headerSize).Span);
        uint type = reader.U32();
        if (is64) reader.Skip(4);
        ulong size = reader.Offset(is64);
        if (reader.Failed || reader.Remaining < (is64 ? 8 : 4))
        {
            diagnostics.Add(raw.Name, 0, "The section is marked as compressed but has no room for the header.");
            return null;
        }
        if (type == Zlib) return Inflate(raw, (ulong)headerSize, size, diagnostics);
        diagnostics.Add(raw.Name, 0, type == Zstd
            ? "The section is compressed with zstd, which is not supported: run objcopy --decompress-debug-sections on the file."
            : $"The section is compressed in an unknown way ({type}).");
        return null;
    }

    // "ZLIB", the size as 8 bytes big-endian, the stream.
    private static SectionData? DecompressGnu(SectionData raw, DiagnosticLog diagnostics)
    {
        ReadOnlySpan<byte> header = raw.Window(0, 12).Span;
        if (header.Length == 12 && header[..4].SequenceEqual("ZLIB"u8))
            return Inflate(raw, 12, BinaryPrimitives.ReadUInt64BigEndian(header[4..]), diagnostics);
        diagnostics.Add(raw.Name, 0, "The section should start with ZLIB but does not.");
        return null;
    }

    private static SectionData? Inflate(SectionData raw, ulong headerSize, ulong size, DiagnosticLog diagnostics)
    {
        if (size > raw.Length * MaximumRatio || size > (ulong)Array.MaxLength)
        {
            diagnostics.Add(raw.Name, 0, $"The section's {raw.Length} bytes cannot decompress to the {size} that its header promises.");
            return null;
        }
        byte[] result = new byte[size];
        int filled = 0;
        try
        {
            using var compressed = new MemoryStream(raw.Window(headerSize, raw.Length).ToArray(), writable: false);
            using var stream = new ZLibStream(compressed, CompressionMode.Decompress);
            while (filled < result.Length && stream.Read(result, filled, Math.Min(result.Length - filled, 1 << 14)) is > 0 and int read) filled += read;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // ZLibException is an IOException; the stream itself is in memory. What came out before the damage is kept: readers bound themselves by what is there.
        }
        if (filled < result.Length)
            diagnostics.Add(raw.Name, 0, $"The compressed data is damaged: {filled} of {size} bytes could be read.");
        return new SectionData(raw.Name, raw.Address, result.AsMemory(0, filled));
    }
}
