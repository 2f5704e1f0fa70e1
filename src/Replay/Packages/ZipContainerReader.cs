using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Replay.Packages;

/// <summary>
/// Finds the entries of a container. Strict, since the bytes may be hostile: stored entries only, names that are used once, everything
/// inside the file. Names are only ever compared with those that are expected, never used as paths.
/// </summary>
internal sealed class ZipContainerReader : IDisposable
{
    private const int MaxDirectorySizeBytes = 1 << 20;
    private const int MaxNameLength = 64;
    private readonly ByteSource _bytes;
    private readonly string _fileName;
    private readonly long _sizeBytes;
    private readonly Dictionary<string, PartReader> _parts = new(StringComparer.Ordinal);

    /// <exception cref="RecordingFormatException">Not a zip file as a recorder writes it, or one that is encrypted with another passphrase.</exception>
    public ZipContainerReader(string path, RecordingPassphrase? passphrase = null)
    {
        _fileName = path;
        _bytes = RecordingEncryption.OpenBytes(path, passphrase);
        try
        {
            _sizeBytes = _bytes.SizeBytes;
            ReadDirectory();
        }
        catch
        {
            _bytes.Dispose();
            throw;
        }
    }

    public long SizeBytes => _sizeBytes;
    public IReadOnlyCollection<string> Names => _parts.Keys;

    public PartReader? Find(string name) => _parts.GetValueOrDefault(name);

    /// <exception cref="RecordingFormatException">There is no such entry.</exception>
    public PartReader Get(string name) =>
        Find(name) ?? throw new RecordingFormatException($"{_fileName} is not a whole recording: part '{name}' is missing");

    public void Dispose() => _bytes.Dispose();

    private void ReadDirectory()
    {
        if (_sizeBytes < ZipContainerWriter.EndSizeBytes) throw NotARecording();
        // The end record is the last thing in the file: a recording has no archive comment.
        byte[] end = Read(_sizeBytes - ZipContainerWriter.EndSizeBytes, ZipContainerWriter.EndSizeBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(end) != ZipContainerWriter.EndSignature) throw NotARecording();
        long count = BinaryPrimitives.ReadUInt16LittleEndian(end.AsSpan(10));
        long size = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(12));
        long offset = BinaryPrimitives.ReadUInt32LittleEndian(end.AsSpan(16));
        long behind = _sizeBytes - ZipContainerWriter.EndSizeBytes;
        if (offset == uint.MaxValue) (offset, behind) = ReadZip64End(behind);
        if (size > MaxDirectorySizeBytes || offset < 0 || offset > behind || size != behind - offset)
            throw Damaged("its directory is not where it should be");

        byte[] directory = Read(offset, (int)size);
        ReadOnlySpan<byte> rest = directory;
        for (long i = 0; i < count; i++) ReadEntry(ref rest, offset);
        if (!rest.IsEmpty) throw Damaged("its directory is longer than its entries");
    }

    private (long DirectoryOffset, long DirectoryEnd) ReadZip64End(long endOffset)
    {
        long locatorOffset = endOffset - ZipContainerWriter.Zip64LocatorSizeBytes,
            recordOffset = locatorOffset - ZipContainerWriter.Zip64EndSizeBytes;
        if (recordOffset < 0) throw Damaged("its directory is not where it should be");
        byte[] record = Read(recordOffset, ZipContainerWriter.Zip64EndSizeBytes + ZipContainerWriter.Zip64LocatorSizeBytes);
        Span<byte> locator = record.AsSpan(ZipContainerWriter.Zip64EndSizeBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != ZipContainerWriter.Zip64LocatorSignature
            || BinaryPrimitives.ReadInt64LittleEndian(locator[8..]) != recordOffset
            || BinaryPrimitives.ReadUInt32LittleEndian(record) != ZipContainerWriter.Zip64EndSignature)
            throw Damaged("its zip64 records are not possible");
        return (BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(48)), recordOffset);
    }

    private void ReadEntry(ref ReadOnlySpan<byte> rest, long directoryOffset)
    {
        if (rest.Length < ZipContainerWriter.CentralHeaderSizeBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(rest) != ZipContainerWriter.CentralSignature)
            throw Damaged("its directory is not possible");
        int method = BinaryPrimitives.ReadUInt16LittleEndian(rest[10..]);
        long stored = BinaryPrimitives.ReadUInt32LittleEndian(rest[20..]), size = BinaryPrimitives.ReadUInt32LittleEndian(rest[24..]);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[28..]),
            extraLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[30..]);
        int commentLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[32..]);
        long offset = BinaryPrimitives.ReadUInt32LittleEndian(rest[42..]);
        rest = rest[ZipContainerWriter.CentralHeaderSizeBytes..];
        if (nameLength is < 1 or > MaxNameLength || commentLength != 0 || rest.Length < nameLength + extraLength)
            throw Damaged("its directory is not possible");
        string name = Encoding.UTF8.GetString(rest[..nameLength]);
        ReadOnlySpan<byte> extra = rest.Slice(nameLength, extraLength);
        rest = rest[(nameLength + extraLength)..];
        if (method != 0 || stored != size)
            throw new RecordingFormatException($"{_fileName} is not a recording as it was written: entry {_parts.Count} is compressed (was it packed again?)");
        if (size == uint.MaxValue || offset == uint.MaxValue) ReadZip64Extra(extra, ref size, ref offset);

        if (offset < 0 || offset > directoryOffset - ZipContainerWriter.LocalHeaderSizeBytes)
            throw Damaged($"entry '{Printable(name)}' lies outside the file");
        byte[] local = Read(offset, ZipContainerWriter.LocalHeaderSizeBytes);
        if (BinaryPrimitives.ReadUInt32LittleEndian(local) != ZipContainerWriter.LocalSignature)
            throw Damaged($"entry '{Printable(name)}' has no header");
        long start = offset + ZipContainerWriter.LocalHeaderSizeBytes + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(26))
            + BinaryPrimitives.ReadUInt16LittleEndian(local.AsSpan(28));
        if (size < 0 || start > directoryOffset || size > directoryOffset - start)
            throw Damaged($"entry '{Printable(name)}' lies outside the file");
        if (!_parts.TryAdd(name, new PartReader(_bytes, _fileName, Printable(name), start, size)))
            throw Damaged($"entry '{Printable(name)}' is there twice");
    }

    private void ReadZip64Extra(ReadOnlySpan<byte> extra, ref long size, ref long offset)
    {
        int needed = 4 + (size == uint.MaxValue ? 16 : 0) + (offset == uint.MaxValue ? 8 : 0);
        if (extra.Length != needed || BinaryPrimitives.ReadUInt16LittleEndian(extra) != ZipContainerWriter.Zip64ExtraId)
            throw Damaged("a zip64 field is not possible");
        extra = extra[4..];
        if (size == uint.MaxValue)
        {
            size = BinaryPrimitives.ReadInt64LittleEndian(extra[8..]);
            extra = extra[16..];
        }
        if (offset == uint.MaxValue) offset = BinaryPrimitives.ReadInt64LittleEndian(extra);
    }

    private byte[] Read(long offset, int count)
    {
        var bytes = new byte[count];
        new PartReader(_bytes, _fileName, "directory", 0, _sizeBytes).Read(offset, bytes);
        return bytes;
    }

    private static string Printable(string name)
    {
        var clean = new StringBuilder(name.Length);
        foreach (char c in name) clean.Append(c is >= ' ' and < '\x7f' ? c : '?');
        return clean.ToString();
    }

    private RecordingFormatException NotARecording() =>
        new($"{_fileName} is not a recording, or was cut off: it does not end with a zip directory");
    private RecordingFormatException Damaged(string what) => new($"{_fileName} is damaged: {what}");
}
