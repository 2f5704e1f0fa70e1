using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;
using System.IO.Hashing;

namespace Replay.Packages;

/// <summary>What a frame holds. The numbers are part of the trace format.</summary>
internal enum FrameKind : byte
{
    LogSegment = 1,
    PageChunk = 2,
    MemoryTable = 3,
    Checkpoint = 4,
    Index = 5,
    Source = 6,
    PackedPages = 7,
    /// <summary>From format version 4 on.</summary>
    DifferentPages = 8,
}

/// <summary>How a frame's payload is stored. The numbers are part of the trace format.</summary>
internal enum FrameCompression : byte
{
    None = 0,
    /// <summary>RFC 1950.</summary>
    Zlib = 1,
    /// <summary>RFC 7932; from format version 2 on.</summary>
    Brotli = 2,
    /// <summary>An LZ4 block; from format version 3 on.</summary>
    Lz4 = 3,
}

/// <summary>Where a frame is and how long its parts are.</summary>
internal readonly record struct FrameInfo(FrameKind Kind, FrameCompression Compression, long Offset, int MetaLength, int StoredLength, int RawLength)
{
    public long SizeBytes => (long)Frame.HeaderSizeBytes + MetaLength + StoredLength;
    public long End => Offset + SizeBytes;
}

/// <summary>
/// The unit in which every part of a recording is written: a header with lengths and a checksum, a little metadata that an index keeps, and
/// a payload, compressed when that helps. A frame is whole or it is not there: that is what makes the files crash-safe. See
/// docs/TRACE_FORMAT.md.
/// </summary>
internal static class Frame
{
    public const int HeaderSizeBytes = 24;
    public const int MaxMetaLength = 4096;
    /// <summary>Above any payload that is written; below what would hurt a reader of hostile bytes.</summary>
    public const int MaxPayloadLength = 256 << 20;
    private const uint Magic = 0x4656_5454; // "TTVF"
    private const byte Version = 1;
    private const int BrotliWindowBits = 22;
    private const int CrcOffset = 20;

    /// <summary>Puts a frame together, compressing the payload if it then is smaller by a sixteenth at least.</summary>
    public static void Build(MemoryStream destination, FrameKind kind, ReadOnlySpan<byte> meta, ReadOnlySpan<byte> payload, FrameCompression compression = FrameCompression.Zlib,
        int brotliQuality = 9)
    {
        Vmm.Invariant.Check(meta.Length <= MaxMetaLength && payload.Length <= MaxPayloadLength);
        destination.SetLength(0);
        destination.SetLength(HeaderSizeBytes);
        destination.Position = HeaderSizeBytes;
        destination.Write(meta);
        int payloadStart = HeaderSizeBytes + meta.Length;
        bool compressed = false;
        if (payload.Length >= 64)
        {
            Compress(destination, payload, compression, brotliQuality);
            compressed = destination.Length - payloadStart <= payload.Length - payload.Length / 16;
            if (!compressed)
            {
                destination.SetLength(payloadStart);
                destination.Position = payloadStart;
            }
        }
        if (!compressed) destination.Write(payload);

        Span<byte> frame = destination.GetBuffer().AsSpan(0, (int)destination.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        frame[4] = Version;
        frame[5] = (byte)kind;
        frame[6] = compressed ? (byte)compression : (byte)0;
        frame[7] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], meta.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], frame.Length - payloadStart);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[CrcOffset..], Checksum(frame));
    }

    private static void Compress(MemoryStream destination, ReadOnlySpan<byte> payload, FrameCompression compression, int brotliQuality)
    {
        switch (compression)
        {
            case FrameCompression.Brotli:
                var packed = new byte[BrotliEncoder.GetMaxCompressedLength(payload.Length)];
                bool fits = BrotliEncoder.TryCompress(payload, packed, out int length, brotliQuality, BrotliWindowBits);
                Vmm.Invariant.Check(fits);
                destination.Write(packed.AsSpan(0, length));
                break;
            case FrameCompression.Lz4:
                int start = (int)destination.Length;
                destination.SetLength(start + Lz4Block.MaximumLength(payload.Length));
                destination.SetLength(start + Lz4Block.Compress(payload, destination.GetBuffer().AsSpan(start, Lz4Block.MaximumLength(payload.Length))));
                destination.Position = destination.Length;
                break;
            default:
                using (var z = new ZLibStream(destination, CompressionLevel.Fastest, leaveOpen: true)) z.Write(payload);
                break;
        }
    }

    /// <summary>Reads a header; null when it cannot be one.</summary>
    public static FrameInfo? ParseHeader(ReadOnlySpan<byte> header, long offset)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic || header[4] != Version || header[6] > (byte)FrameCompression.Lz4
            || header[7] != 0) return null;
        var info = new FrameInfo((FrameKind)header[5], (FrameCompression)header[6], offset,
            BinaryPrimitives.ReadInt32LittleEndian(header[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[12..]), BinaryPrimitives.ReadInt32LittleEndian(header[16..]));
        return IsPlausible(info) ? info : null;
    }

    public static bool IsPlausible(in FrameInfo info) =>
        info.MetaLength is >= 0 and <= MaxMetaLength && info.StoredLength is >= 0 and <= MaxPayloadLength
        && info.RawLength is >= 0 and <= MaxPayloadLength && (info.Compression != FrameCompression.None || info.StoredLength == info.RawLength);

    public static bool HasRightChecksum(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[CrcOffset..]) == Checksum(frame);

    /// <summary>The payload of a frame whose checksum is right; null when it does not decompress to its announced length.</summary>
    /// <param name="frame">It, whole.</param>
    /// <param name="info">Its header.</param>
    /// <param name="allocate">Gives an array of so many bytes; null: a new one is made.</param>
    public static byte[]? Unpack(byte[] frame, in FrameInfo info, Func<int, byte[]>? allocate = null)
    {
        int start = HeaderSizeBytes + info.MetaLength;
        byte[] payload = allocate?.Invoke(info.RawLength) ?? new byte[info.RawLength];
        if (info.Compression == FrameCompression.None)
        {
            frame.AsSpan(start, info.StoredLength).CopyTo(payload);
            return payload;
        }
        if (info.Compression == FrameCompression.Brotli)
        {
            bool isWhole = BrotliDecoder.TryDecompress(frame.AsSpan(start, info.StoredLength), payload, out int length);
            return isWhole && length == payload.Length ? payload : null;
        }
        if (info.Compression == FrameCompression.Lz4) return Lz4Block.TryDecompress(frame.AsSpan(start, info.StoredLength), payload) ? payload : null;
        try
        {
            using var z = new ZLibStream(new MemoryStream(frame, start, info.StoredLength), CompressionMode.Decompress);
            z.ReadExactly(payload);
            return z.ReadByte() < 0 ? payload : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    // Over everything but the checksum itself.
    private static uint Checksum(ReadOnlySpan<byte> frame)
    {
        var crc = new Crc32();
        crc.Append(frame[..CrcOffset]);
        crc.Append(frame[HeaderSizeBytes..]);
        return crc.GetCurrentHashAsUInt32();
    }
}
