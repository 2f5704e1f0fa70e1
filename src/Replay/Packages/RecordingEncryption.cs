using System;
using System.IO;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Replay.Packages;

/// <summary>Encrypts recordings, and takes that away: the file within stays the same to the last byte, its signature too.</summary>
public static class RecordingEncryption
{
    /// <summary>Size of a salt in bytes.</summary>
    public const int SaltSizeBytes = EncryptedHeader.SaltSizeBytes;

    /// <summary>Whether the file is an encrypted recording, as far as its first bytes tell.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static bool IsEncrypted(string path)
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        return IsEncrypted(handle);
    }

    /// <param name="path">A recording.</param>
    /// <param name="destination">Where to write; it may be the same.</param>
    /// <param name="passphrase">Opens it from then on.</param>
    /// <param name="salt">Random bytes that no other file gets.</param>
    /// <param name="progress">0..1.</param>
    /// <exception cref="RecordingFormatException">It is encrypted already.</exception>
    /// <exception cref="IOException">A file cannot be read or written: the destination is as it was.</exception>
    public static void Encrypt(string path, string destination, RecordingPassphrase passphrase, ReadOnlySpan<byte> salt, IProgress<double>? progress = null)
    {
        Vmm.Invariant.Check(salt.Length == SaltSizeBytes);
        if (IsEncrypted(path)) throw new RecordingFormatException($"{path} is encrypted already");
        byte[] saltBytes = salt.ToArray();
        Replace(path, null, destination, progress, (source, output, report) =>
        {
            var header = new EncryptedHeader(RecordingPassphrase.Iterations, EncryptedHeader.StandardChunkSizeBytes, source.SizeBytes, saltBytes);
            using var key = new AesGcm(passphrase.KeyFor(saltBytes, header.Iterations), EncryptedHeader.TagSizeBytes);
            output.Write(header.Write(key));
            var sealedChunk = new byte[header.ChunkSizeBytes + EncryptedHeader.TagSizeBytes];
            var plain = new byte[header.ChunkSizeBytes];
            for (long chunk = 0; chunk < header.ChunkCount; chunk++)
            {
                Span<byte> content = plain.AsSpan(0, header.SizeOf(chunk));
                ReadWhole(source, chunk * header.ChunkSizeBytes, content, path);
                header.Seal(key, chunk, content, sealedChunk);
                output.Write(sealedChunk.AsSpan(0, content.Length + EncryptedHeader.TagSizeBytes));
                report((double)(chunk + 1) / header.ChunkCount);
            }
        });
    }

    /// <param name="path">An encrypted recording.</param>
    /// <param name="destination">Where to write; it may be the same.</param>
    /// <param name="passphrase">What it was encrypted with.</param>
    /// <param name="progress">0..1.</param>
    /// <exception cref="RecordingFormatException">The passphrase does not fit, the file is damaged, or it is not encrypted.</exception>
    /// <exception cref="IOException">A file cannot be read or written: the destination is as it was.</exception>
    public static void Decrypt(string path, string destination, RecordingPassphrase passphrase, IProgress<double>? progress = null)
    {
        if (!IsEncrypted(path)) throw new RecordingFormatException($"{path} is not encrypted");
        Replace(path, passphrase, destination, progress, (source, output, report) =>
        {
            var piece = new byte[1 << 20];
            for (long offset = 0; offset < source.SizeBytes;)
            {
                int count = source.Read(offset, piece);
                output.Write(piece.AsSpan(0, count));
                offset += count;
                report((double)offset / source.SizeBytes);
            }
        });
    }

    /// <summary>Opens the bytes of a recording, encrypted or not.</summary>
    /// <exception cref="RecordingFormatException">It is encrypted and the passphrase does not fit, or it is damaged.</exception>
    internal static ByteSource OpenBytes(string path, RecordingPassphrase? passphrase)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            return IsEncrypted(handle) ? new EncryptedBytes(handle, path, passphrase) : new PlainBytes(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static bool IsEncrypted(SafeFileHandle handle)
    {
        Span<byte> start = stackalloc byte[4];
        return EncryptedHeader.IsAt(start[..RandomAccess.Read(handle, start, 0)]);
    }

    private static void ReadWhole(ByteSource source, long offset, Span<byte> destination, string path)
    {
        for (int filled = 0, read; filled < destination.Length; filled += read)
            if ((read = source.Read(offset + filled, destination[filled..])) == 0) throw new IOException($"{path} has become shorter while it was read");
    }

    private static void Replace(string path, RecordingPassphrase? passphrase, string destination, IProgress<double>? progress, Action<ByteSource, Stream, Action<double>> write) =>
        ContainerRewriter.ReplaceFile(destination, temporary =>
        {
            using ByteSource source = OpenBytes(path, passphrase);
            using var output = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
            write(source, output, fraction => progress?.Report(fraction));
            output.Flush(flushToDisk: true);
        });
}
