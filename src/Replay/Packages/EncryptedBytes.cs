using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Replay.Packages;

/// <summary>An encrypted file as what it holds. Chunks are decrypted when they are read, and the last few are kept; nothing is written anywhere.</summary>
internal sealed class EncryptedBytes : ByteSource
{
    private const int KeptChunks = 64;

    private readonly SafeFileHandle _handle;
    private readonly string _fileName;
    private readonly EncryptedHeader _header;
    private readonly AesGcm _key;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, LinkedListNode<(long Chunk, byte[] Plain)>> _chunks = [];
    // The one that was read last is the first.
    private readonly LinkedList<(long Chunk, byte[] Plain)> _order = [];

    /// <param name="handle">The file; it belongs to this if there is no exception.</param>
    /// <param name="fileName">For messages.</param>
    /// <param name="passphrase">Null: there is none.</param>
    /// <exception cref="RecordingFormatException">The passphrase does not fit, or the file is damaged.</exception>
    public EncryptedBytes(SafeFileHandle handle, string fileName, RecordingPassphrase? passphrase)
    {
        if (passphrase is null) throw new RecordingFormatException($"{fileName} is encrypted, and there is no passphrase");
        _handle = handle;
        _fileName = fileName;
        var start = new byte[EncryptedHeader.SizeBytes];
        int count = RandomAccess.Read(handle, start, 0);
        _header = EncryptedHeader.Read(start.AsSpan(0, count))
            ?? throw new RecordingFormatException($"{fileName} is encrypted in a way that this ttvm does not know, or its header is damaged");
        _key = new AesGcm(passphrase.KeyFor(_header.Salt, _header.Iterations), EncryptedHeader.TagSizeBytes);
        long size = RandomAccess.GetLength(handle);
        string? problem = !_header.IsSealedWith(_key, start) ? $"{fileName} cannot be decrypted: the passphrase is another one, or the first {EncryptedHeader.SizeBytes} bytes were changed"
            : size < _header.FileSizeBytes ? $"{fileName} was cut off: it has {size} of {_header.FileSizeBytes} bytes"
            : size > _header.FileSizeBytes ? $"{fileName} is damaged: it goes on behind its end, at {_header.FileSizeBytes}" : null;
        if (problem is null) return;
        _key.Dispose();
        throw new RecordingFormatException(problem);
    }

    public override long SizeBytes => _header.PlainSizeBytes;

    public override int Read(long offset, Span<byte> destination)
    {
        if (offset >= SizeBytes || destination.IsEmpty) return 0;
        (long chunk, long within) = Math.DivRem(offset, _header.ChunkSizeBytes);
        lock (_gate)
        {
            ReadOnlySpan<byte> plain = Chunk(chunk).AsSpan((int)within);
            int count = Math.Min(plain.Length, destination.Length);
            plain[..count].CopyTo(destination);
            return count;
        }
    }

    public override void Dispose()
    {
        _key.Dispose();
        _handle.Dispose();
    }

    private byte[] Chunk(long number)
    {
        if (_chunks.TryGetValue(number, out LinkedListNode<(long Chunk, byte[] Plain)>? known))
        {
            _order.Remove(known);
            _order.AddFirst(known);
            return known.Value.Plain;
        }
        byte[] plain = new byte[_header.SizeOf(number)], stored = new byte[plain.Length + EncryptedHeader.TagSizeBytes];
        long offset = _header.OffsetOf(number);
        int filled = 0;
        while (filled < stored.Length && RandomAccess.Read(_handle, stored.AsSpan(filled), offset + filled) is > 0 and int read) filled += read;
        if (filled < stored.Length || !_header.TryUnseal(_key, number, stored, plain))
            throw new RecordingFormatException($"{_fileName} is damaged: bytes {offset} to {offset + stored.Length - 1} are not as they were encrypted");
        if (_chunks.Count == KeptChunks)
        {
            _chunks.Remove(_order.Last!.Value.Chunk);
            _order.RemoveLast();
        }
        _chunks[number] = _order.AddFirst((number, plain));
        return plain;
    }
}
