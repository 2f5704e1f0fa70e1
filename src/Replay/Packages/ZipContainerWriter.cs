using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace Replay.Packages;

/// <summary>
/// Writes a zip file whose entries are stored, not compressed: any unzip lists it, and a reader can go to any byte of a part.
/// (System.IO.Compression does not tell where an entry's bytes lie, nor write several GiB of stored ones without zip64 surprises.) PKWARE
/// APPNOTE.TXT 6.3.10.
/// </summary>
internal sealed class ZipContainerWriter : IDisposable
{
    private sealed record Entry(byte[] Name, long Offset, long SizeBytes, uint Crc);

    public const uint LocalSignature = 0x04034b50, CentralSignature = 0x02014b50, EndSignature = 0x06054b50;
    public const uint Zip64EndSignature = 0x06064b50, Zip64LocatorSignature = 0x07064b50;
    public const ushort Zip64ExtraId = 1;
    public const int LocalHeaderSizeBytes = 30, CentralHeaderSizeBytes = 46, EndSizeBytes = 22, Zip64LocatorSizeBytes = 20,
        Zip64EndSizeBytes = 56;
    private const ushort Utf8Names = 1 << 11;
    private const ushort VersionNeeded = 45;
    /// <summary>1980-01-01: equal recordings are equal files.</summary>
    private const ushort DosDate = 0x0021;

    private readonly FileStream _file;
    private readonly List<Entry> _entries = [];
    private readonly byte[] _buffer = new byte[1 << 20];

    public ZipContainerWriter(string path)
    {
        Path = path;
        _file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
    }

    public string Path { get; }

    /// <summary>Stores the first <paramref name="sizeBytes"/> bytes of a stream as an entry. Returns their SHA-256.</summary>
    public byte[] Add(string name, Stream content, long sizeBytes, Action<long>? copied = null)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        long offset = _file.Position;
        _file.Write(LocalHeader(nameBytes, sizeBytes, 0));
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var crc = new Crc32();
        for (long left = sizeBytes; left > 0;)
        {
            int read = content.Read(_buffer, 0, (int)Math.Min(left, _buffer.Length));
            if (read == 0) throw new EndOfStreamException($"'{name}' is shorter than expected");
            ReadOnlySpan<byte> piece = _buffer.AsSpan(0, read);
            sha.AppendData(piece);
            crc.Append(piece);
            _file.Write(piece);
            left -= read;
            copied?.Invoke(read);
        }
        long end = _file.Position;
        _file.Position = offset;
        uint checksum = crc.GetCurrentHashAsUInt32();
        _file.Write(LocalHeader(nameBytes, sizeBytes, checksum));
        _file.Position = end;
        _entries.Add(new Entry(nameBytes, offset, sizeBytes, checksum));
        return sha.GetHashAndReset();
    }

    public byte[] Add(string name, byte[] content)
    {
        using var stream = new MemoryStream(content, writable: false);
        return Add(name, stream, content.Length);
    }

    /// <summary>Writes the directory, without which the file is not a zip file.</summary>
    public void Finish()
    {
        long directory = _file.Position;
        foreach (Entry entry in _entries) _file.Write(CentralHeader(entry));
        long directorySize = _file.Position - directory, zip64End = _file.Position;

        var end = new byte[Zip64EndSizeBytes + Zip64LocatorSizeBytes + EndSizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(end, Zip64EndSignature);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(4), Zip64EndSizeBytes - 12);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(12), VersionNeeded);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(14), VersionNeeded);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(24), _entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(32), _entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(40), directorySize);
        BinaryPrimitives.WriteInt64LittleEndian(end.AsSpan(48), directory);
        Span<byte> locator = end.AsSpan(Zip64EndSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(locator, Zip64LocatorSignature);
        BinaryPrimitives.WriteInt64LittleEndian(locator[8..], zip64End);
        BinaryPrimitives.WriteInt32LittleEndian(locator[16..], 1);
        Span<byte> last = locator[Zip64LocatorSizeBytes..];
        BinaryPrimitives.WriteUInt32LittleEndian(last, EndSignature);
        BinaryPrimitives.WriteUInt16LittleEndian(last[8..], (ushort)_entries.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(last[10..], (ushort)_entries.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(last[12..], Limited(directorySize));
        BinaryPrimitives.WriteUInt32LittleEndian(last[16..], Limited(directory));
        // The zip64 records are needed, and allowed, only when the plain one cannot say it.
        bool isLarge = directory >= uint.MaxValue;
        _file.Write(isLarge ? end : last);
        _file.Flush(flushToDisk: true);
    }

    public void Dispose() => _file.Dispose();

    private static uint Limited(long value) => value >= uint.MaxValue ? uint.MaxValue : (uint)value;

    private static byte[] LocalHeader(byte[] name, long sizeBytes, uint crc)
    {
        bool isLarge = sizeBytes >= uint.MaxValue;
        var header = new byte[LocalHeaderSizeBytes + name.Length + (isLarge ? 20 : 0)];
        BinaryPrimitives.WriteUInt32LittleEndian(header, LocalSignature);
        WriteCommon(header.AsSpan(4), sizeBytes, crc);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(26), (ushort)name.Length);
        name.CopyTo(header, LocalHeaderSizeBytes);
        if (!isLarge) return header;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(28), 20);
        Span<byte> extra = header.AsSpan(LocalHeaderSizeBytes + name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(extra, Zip64ExtraId);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], 16);
        BinaryPrimitives.WriteInt64LittleEndian(extra[4..], sizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(extra[12..], sizeBytes);
        return header;
    }

    private static byte[] CentralHeader(Entry entry)
    {
        bool isLarge = entry.SizeBytes >= uint.MaxValue, isFar = entry.Offset >= uint.MaxValue;
        int extraLength = (isLarge ? 16 : 0) + (isFar ? 8 : 0);
        if (extraLength > 0) extraLength += 4;
        var header = new byte[CentralHeaderSizeBytes + entry.Name.Length + extraLength];
        BinaryPrimitives.WriteUInt32LittleEndian(header, CentralSignature);
        // Made by: version 4.5 on Unix, so that the external attributes are a file mode.
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), 3 << 8 | VersionNeeded);
        WriteCommon(header.AsSpan(6), entry.SizeBytes, entry.Crc);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(28), (ushort)entry.Name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(30), (ushort)extraLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(38), 0x81A4u << 16);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(42), Limited(entry.Offset));
        entry.Name.CopyTo(header, CentralHeaderSizeBytes);
        if (extraLength == 0) return header;
        Span<byte> extra = header.AsSpan(CentralHeaderSizeBytes + entry.Name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(extra, Zip64ExtraId);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], (ushort)(extraLength - 4));
        extra = extra[4..];
        if (isLarge)
        {
            BinaryPrimitives.WriteInt64LittleEndian(extra, entry.SizeBytes);
            BinaryPrimitives.WriteInt64LittleEndian(extra[8..], entry.SizeBytes);
            extra = extra[16..];
        }
        if (isFar) BinaryPrimitives.WriteInt64LittleEndian(extra, entry.Offset);
        return header;
    }

    // Version needed, flags, method (0: stored), time, date, CRC and sizes: the same in both headers.
    private static void WriteCommon(Span<byte> at, long sizeBytes, uint crc)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(at, VersionNeeded);
        BinaryPrimitives.WriteUInt16LittleEndian(at[2..], Utf8Names);
        BinaryPrimitives.WriteUInt16LittleEndian(at[8..], DosDate);
        BinaryPrimitives.WriteUInt32LittleEndian(at[10..], crc);
        BinaryPrimitives.WriteUInt32LittleEndian(at[14..], Limited(sizeBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(at[18..], Limited(sizeBytes));
    }
}
