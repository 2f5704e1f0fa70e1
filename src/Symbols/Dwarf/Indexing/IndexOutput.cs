using System;
using System.Buffers.Binary;
using System.IO;

namespace Symbols.Dwarf.Indexing;

/// <summary>An <see cref="IndexFile"/> as it is written, one part after the other: all that is kept of it meanwhile is a block.</summary>
/// <param name="stream">Takes it; at its beginning.</param>
internal sealed class IndexOutput(Stream stream)
{
    // A multiple of 8, which the sum goes by.
    private const int BlockBytes = 1 << 16;

    private readonly byte[] _block = new byte[BlockBytes];
    private readonly (long Start, long Size)[] _parts = new (long, long)[IndexFile.PartCount];
    private long _flushed;
    private int _used;
    private ulong _sum = Checksum64.Start;
    private IndexFile.Part? _part;

    private long Position => IndexFile.HeaderBytes + _flushed + _used;

    /// <summary>What comes now belongs to that part.</summary>
    internal void Begin(IndexFile.Part part)
    {
        EndPart();
        if (stream.Position == 0) stream.Write(stackalloc byte[IndexFile.HeaderBytes]);
        _part = part;
        _parts[(int)part].Start = Position;
    }

    internal void Bytes(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int count = Math.Min(bytes.Length, BlockBytes - _used);
            bytes[..count].CopyTo(_block.AsSpan(_used));
            _used += count;
            bytes = bytes[count..];
            if (_used == BlockBytes) Flush();
        }
    }

    /// <summary>All parts are there: writes where they are, and the header.</summary>
    internal void End()
    {
        EndPart();
        Span<byte> place = stackalloc byte[16];
        foreach ((long start, long size) in _parts)
        {
            BinaryPrimitives.WriteInt64LittleEndian(place, start);
            BinaryPrimitives.WriteInt64LittleEndian(place[8..], size);
            Bytes(place);
        }
        Flush();
        Span<byte> header = stackalloc byte[IndexFile.HeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header, IndexFile.Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], IndexFile.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], IndexFile.PartCount);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Position);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], Checksum64.End(_sum, (ulong)_flushed));
        stream.Position = 0;
        stream.Write(header);
    }

    private void EndPart()
    {
        if (_part is { } part) _parts[(int)part].Size = Position - _parts[(int)part].Start;
        _part = null;
        int padding = -_used & 7;
        Bytes(stackalloc byte[padding]);
    }

    private void Flush()
    {
        _sum = Checksum64.Add(_sum, _block.AsSpan(0, _used));
        stream.Write(_block.AsSpan(0, _used));
        _flushed += _used;
        _used = 0;
    }
}
