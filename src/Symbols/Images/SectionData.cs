using System;
using System.Collections.Generic;
using System.Text;

namespace Symbols.Images;

/// <summary>
/// The contents of one section, uncompressed. Offsets are from its start and are never trusted: what lies beyond the end is empty.
/// Not thread safe: symbols belong to the one engine thread.
/// </summary>
public sealed class SectionData
{
    private const int ChunkSizeBytes = 1 << 14;
    private const int CachedChunkCount = 1024;
    private const int MaximumStringBytes = 1 << 20;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ImageSource? _source;
    private readonly long _start;
    private readonly Dictionary<ulong, ReadOnlyMemory<byte>> _chunks = [];

    /// <summary>A section that is in memory.</summary>
    public SectionData(string name, ulong address, ReadOnlyMemory<byte> memory)
    {
        Name = name;
        Address = address;
        _memory = memory;
        Length = (ulong)memory.Length;
    }

    /// <summary>A section that is read from its image as needed; the part beyond the end of the image does not exist.</summary>
    public SectionData(string name, ulong address, ImageSource source, long start, long length)
    {
        Name = name;
        Address = address;
        _source = source;
        _start = start;
        Length = start < 0 || start >= source.Length || length <= 0 ? 0 : (ulong)Math.Min(length, source.Length - start);
    }

    public string Name { get; }

    /// <summary>The section's linear address (<c>sh_addr</c>).</summary>
    public ulong Address { get; }

    /// <summary>Bytes that are there.</summary>
    public ulong Length { get; }

    public bool IsEmpty => Length == 0;

    /// <summary>A part as a section of its own, cut off at this one's end.</summary>
    internal SectionData Slice(ulong offset, ulong count)
    {
        ulong start = Math.Min(offset, Length);
        ulong size = Math.Min(count, Length - start);
        return _source is null ? new SectionData(Name, Address, _memory.Slice((int)start, (int)size))
            : new SectionData(Name, Address, _source, _start + (long)start, (long)size);
    }

    /// <summary>A copy, or a view where the section is in memory; shorter than asked at the section's end.</summary>
    public ReadOnlyMemory<byte> Window(ulong offset, ulong count)
    {
        if (offset >= Length) return default;
        int size = (int)Math.Min(Math.Min(count, Length - offset), (ulong)Array.MaxLength);
        return _source is null ? _memory.Slice((int)offset, size) : _source.Window(_start + (long)offset, size);
    }

    /// <summary>As <see cref="Window(ulong, ulong)"/>, into a buffer that the caller uses again and again, which grows: valid until it does.</summary>
    internal ReadOnlyMemory<byte> Window(ulong offset, ulong count, ref byte[] buffer)
    {
        if (_source is null || offset >= Length) return Window(offset, count);
        int size = (int)Math.Min(Math.Min(count, Length - offset), (ulong)Array.MaxLength);
        if (buffer.Length < size) buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(Math.Max(size, buffer.Length * 2L), Array.MaxLength));
        return buffer.AsMemory(0, _source.Read(_start + (long)offset, buffer.AsSpan(0, size)));
    }

    /// <summary>Fills a buffer of the caller's; how many bytes were there.</summary>
    internal int Read(ulong offset, Span<byte> destination)
    {
        if (offset >= Length) return 0;
        if ((ulong)destination.Length > Length - offset) destination = destination[..(int)(Length - offset)];
        if (_source is not null) return _source.Read(_start + (long)offset, destination);
        _memory.Span.Slice((int)offset, destination.Length).CopyTo(destination);
        return destination.Length;
    }

    /// <summary>The same contents for another thread: what is cached is not shared.</summary>
    internal SectionData Fork() => Slice(0, Length);

    /// <summary>Everything.</summary>
    public ReadOnlyMemory<byte> All() => Window(0, Length);

    /// <summary>A few bytes through the cache of chunks, for what is read here and there; empty if they are not all there.</summary>
    internal ReadOnlySpan<byte> Bytes(ulong offset, int count)
    {
        if (offset >= Length || (ulong)count > Length - offset) return default;
        ulong start = offset / ChunkSizeBytes * ChunkSizeBytes;
        ReadOnlySpan<byte> chunk = Chunk(start).Span;
        int at = (int)(offset - start);
        return at + count <= chunk.Length ? chunk.Slice(at, count) : Window(offset, (ulong)count).Span;
    }

    /// <summary>As <see cref="Bytes"/>; fewer where the section ends.</summary>
    internal ReadOnlySpan<byte> Part(ulong offset, ulong count) =>
        offset >= Length ? default : Bytes(offset, (int)Math.Min(Math.Min(count, Length - offset), (ulong)Array.MaxLength));

    /// <summary>The string that ends with a NUL byte, as UTF-8; null if the offset is beyond the end.</summary>
    public string? StringAt(ulong offset) => offset < Length ? Encoding.UTF8.GetString(StringBytesAt(offset)) : null;

    /// <summary>The bytes up to the next NUL; empty beyond the end.</summary>
    internal ReadOnlySpan<byte> StringBytesAt(ulong offset)
    {
        if (offset >= Length) return default;
        ulong start = offset / ChunkSizeBytes * ChunkSizeBytes;
        ReadOnlySpan<byte> chunk = Chunk(start).Span;
        int at = (int)(offset - start);
        // The image may have become shorter since the section's length was taken.
        if (at >= chunk.Length) return default;
        ReadOnlySpan<byte> tail = chunk[at..];
        int end = tail.IndexOf((byte)0);
        if (end >= 0) return tail[..end];
        ReadOnlySpan<byte> longer = Window(offset, MaximumStringBytes).Span;
        end = longer.IndexOf((byte)0);
        return end < 0 ? longer : longer[..end];
    }

    private ReadOnlyMemory<byte> Chunk(ulong start)
    {
        if (_source is null) return _memory.Slice((int)start, (int)Math.Min(ChunkSizeBytes, Length - start));
        if (_chunks.TryGetValue(start, out ReadOnlyMemory<byte> chunk)) return chunk;
        if (_chunks.Count >= CachedChunkCount) _chunks.Clear();
        return _chunks[start] = Window(start, ChunkSizeBytes);
    }
}
