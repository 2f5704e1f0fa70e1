using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;

namespace Introspection.Linux.Initrd;

/// <summary>One member of a gzip file (RFC 1952), with where it ends: the framework's own stream does not tell.</summary>
internal static class GzipMember
{
    private const int HeaderBytes = 10, TrailerBytes = 8;
    private const int HeaderChecksum = 2, ExtraField = 4, FileName = 8, Comment = 16;

    internal static bool IsMember(ReadOnlySpan<byte> bytes) => bytes.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 8]);

    /// <summary>Unpacks the member at the beginning. Returns how many bytes it takes; all of them where its end is not found.</summary>
    /// <param name="bytes">The member and what follows it.</param>
    /// <param name="limitBytes">At most so many are unpacked.</param>
    /// <param name="unpacked">What was unpacked.</param>
    /// <param name="problem">Why that is not all; null: it is.</param>
    internal static int Unpack(ReadOnlyMemory<byte> bytes, int limitBytes, out ReadOnlyMemory<byte> unpacked, out string? problem)
    {
        unpacked = default;
        problem = "The initrd's compressed data is damaged.";
        if (!TryHeader(bytes.Span, out int start)) return bytes.Length;
        var output = new MemoryStream();
        using var source = new PieceStream(bytes[start..]);
        try
        {
            using var deflate = new DeflateStream(source, CompressionMode.Decompress, leaveOpen: true);
            byte[] piece = new byte[1 << 16];
            while (deflate.Read(piece) is > 0 and int count)
            {
                output.Write(piece, 0, Math.Min(count, limitBytes - (int)output.Length));
                if (output.Length < limitBytes) continue;
                problem = $"The initrd unpacks to more than {limitBytes >> 20} MiB; the rest is left out.";
                break;
            }
        }
        catch (InvalidDataException)
        {
            unpacked = output.GetBuffer().AsMemory(0, (int)output.Length);
            return bytes.Length;
        }
        unpacked = output.GetBuffer().AsMemory(0, (int)output.Length);
        if (output.Length >= limitBytes) return bytes.Length;
        int end = FindEnd(bytes.Span, start + source.Taken, (uint)output.Length);
        if (end > 0) problem = null;
        return end > 0 ? end : bytes.Length;
    }

    // The unpacked size, with which a member ends, lies no further back than what was read last.
    private static int FindEnd(ReadOnlySpan<byte> bytes, int taken, uint size)
    {
        for (int at = Math.Max(HeaderBytes, taken - PieceStream.PieceBytes); at <= Math.Min(taken, bytes.Length - TrailerBytes); at++)
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]) == size) return at + TrailerBytes;
        return 0;
    }

    private static bool TryHeader(ReadOnlySpan<byte> bytes, out int start)
    {
        start = HeaderBytes;
        if (bytes.Length < HeaderBytes + TrailerBytes) return false;
        int flags = bytes[3];
        if ((flags & ExtraField) != 0) start += 2 + BinaryPrimitives.ReadUInt16LittleEndian(bytes[start..]);
        foreach (int text in (ReadOnlySpan<int>)[FileName, Comment])
        {
            if ((flags & text) == 0) continue;
            int end = start < bytes.Length ? bytes[start..].IndexOf((byte)0) : -1;
            if (end < 0) return false;
            start += end + 1;
        }
        if ((flags & HeaderChecksum) != 0) start += 2;
        return start < bytes.Length;
    }

    /// <summary>Bytes given out in small pieces, so that who reads them has taken hardly more than needed.</summary>
    private sealed class PieceStream(ReadOnlyMemory<byte> bytes) : Stream
    {
        internal const int PieceBytes = 64;

        internal int Taken { get; private set; }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int taken = Math.Min(Math.Min(count, PieceBytes), bytes.Length - Taken);
            bytes.Span.Slice(Taken, taken).CopyTo(buffer.AsSpan(offset));
            Taken += taken;
            return taken;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
