using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Replay.Packages;

/// <summary>
/// The beginning of an encrypted recording, and how its chunks are sealed: AES-256-GCM (NIST SP 800-38D) with a key that PBKDF2-HMAC-SHA256 (RFC 8018) makes of a passphrase and a salt
/// which no other file has. So a chunk's number can be its nonce. See docs/TRACE_FORMAT.md.
/// </summary>
/// <param name="Iterations">Of PBKDF2.</param>
/// <param name="ChunkSizeBytes">Of what is encrypted; the last chunk may be shorter.</param>
/// <param name="PlainSizeBytes">Size of the recording.</param>
/// <param name="Salt">32 random bytes.</param>
internal sealed record EncryptedHeader(int Iterations, int ChunkSizeBytes, long PlainSizeBytes, byte[] Salt)
{
    public const int SizeBytes = BoundSizeBytes + TagSizeBytes, KeySizeBytes = 32, SaltSizeBytes = 32, TagSizeBytes = 16, StandardChunkSizeBytes = 1 << 16;

    private const uint Signature = 0x45565454; // "TTVE"
    private const int Version = 1, Method = 1;
    private const int BoundSizeBytes = 24 + SaltSizeBytes;
    private const int SmallestChunkSizeBytes = 1 << 12, LargestChunkSizeBytes = 1 << 24, MostIterations = 100_000_000, NonceSizeBytes = 12;
    // The header's own seal comes behind all chunks.
    private const ulong HeaderNumber = ulong.MaxValue;

    public long ChunkCount => (PlainSizeBytes + ChunkSizeBytes - 1) / ChunkSizeBytes;

    /// <summary>Size of the whole file.</summary>
    public long FileSizeBytes => SizeBytes + PlainSizeBytes + ChunkCount * TagSizeBytes;

    /// <summary>Where a chunk is in the file.</summary>
    public long OffsetOf(long chunk) => SizeBytes + chunk * (ChunkSizeBytes + TagSizeBytes);

    /// <summary>How many bytes of the recording a chunk holds.</summary>
    public int SizeOf(long chunk) => (int)Math.Min(ChunkSizeBytes, PlainSizeBytes - chunk * ChunkSizeBytes);

    /// <summary>Whether a file that begins so is encrypted.</summary>
    public static bool IsAt(ReadOnlySpan<byte> start) => start.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(start) == Signature;

    /// <summary>Reads one; its seal is not looked at. Null: no such header is possible.</summary>
    public static EncryptedHeader? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SizeBytes || !IsAt(bytes) || bytes[4] != Version || bytes[5] != Method || (bytes[6] | bytes[7]) != 0) return null;
        uint iterations = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]), chunk = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        long size = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        bool isPossible = iterations is >= 1 and <= MostIterations && chunk is >= SmallestChunkSizeBytes and <= LargestChunkSizeBytes && BitOperations.IsPow2(chunk)
            && size is >= 1 and <= long.MaxValue >> 1;
        if (!isPossible) return null;
        return new EncryptedHeader((int)iterations, (int)chunk, size, bytes.Slice(24, SaltSizeBytes).ToArray());
    }

    /// <summary>All of it, sealed.</summary>
    public byte[] Write(AesGcm key)
    {
        var bytes = new byte[SizeBytes];
        WriteBound(bytes);
        key.Encrypt(NonceOf(HeaderNumber), [], [], bytes.AsSpan(BoundSizeBytes), bytes.AsSpan(0, BoundSizeBytes));
        return bytes;
    }

    /// <summary>Whether the key is the one that the header was sealed with, and the header is as it was.</summary>
    public bool IsSealedWith(AesGcm key, ReadOnlySpan<byte> bytes)
    {
        try
        {
            key.Decrypt(NonceOf(HeaderNumber), [], bytes.Slice(BoundSizeBytes, TagSizeBytes), [], bytes[..BoundSizeBytes]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>Encrypts a chunk; behind it comes its tag.</summary>
    public void Seal(AesGcm key, long chunk, ReadOnlySpan<byte> plain, Span<byte> destination) =>
        key.Encrypt(NonceOf((ulong)chunk), plain, destination[..plain.Length], destination.Slice(plain.Length, TagSizeBytes), Associated(chunk));

    /// <summary>False: it is not as it was sealed, or not this chunk of this file.</summary>
    public bool TryUnseal(AesGcm key, long chunk, ReadOnlySpan<byte> stored, Span<byte> plain)
    {
        try
        {
            key.Decrypt(NonceOf((ulong)chunk), stored[..plain.Length], stored.Slice(plain.Length, TagSizeBytes), plain, Associated(chunk));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    // The whole header, the chunk's number, and whether it is the last.
    private byte[] Associated(long chunk)
    {
        var bytes = new byte[BoundSizeBytes + 9];
        WriteBound(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(BoundSizeBytes), chunk);
        bytes[^1] = chunk == ChunkCount - 1 ? (byte)1 : (byte)0;
        return bytes;
    }

    private void WriteBound(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Signature);
        bytes[4] = Version;
        bytes[5] = Method;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Iterations);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], ChunkSizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], PlainSizeBytes);
        Salt.CopyTo(bytes[24..]);
    }

    private static byte[] NonceOf(ulong number)
    {
        var nonce = new byte[NonceSizeBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, number);
        return nonce;
    }
}
