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
    private const int MaximumStringBytes = 1 << 20;
    private const int FirstStringBytes = 256;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ImageSource? _source;
    private readonly long _start;
    private ChunkCache? _chunks;
    private byte[] _peeked = [];

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

    /// <summary>So much of what is read here and there is kept.</summary>
    internal int CachedBytes { get; init; } = 1 << 20;

    /// <summary>A part as a section of its own, cut off at this one's end.</summary>
    internal SectionData Slice(ulong offset, ulong count)
    {
        ulong start = Math.Min(offset, Length);
        ulong size = Math.Min(count, Length - start);
        return _source is null ? new SectionData(Name, Address, _memory.Slice((int)start, (int)size))
            : new SectionData(Name, Address, _source, _start + (long)start, (long)size) { CachedBytes = CachedBytes };
    }

    /// <summary>The same contents, of which more or less is kept.</summary>
    internal SectionData WithCache(int cachedBytes) =>
        _source is null ? this : new SectionData(Name, Address, _source, _start, (long)Length) { CachedBytes = cachedBytes };

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

    /// <summary>
    /// Some bytes through the cache of chunks, for what is read here and there; empty if they are not all there. They are the caller's: what is read later does not change them.
    /// </summary>
    internal ReadOnlyMemory<byte> Piece(ulong offset, int count)
    {
        if (offset >= Length || count <= 0 || (ulong)count > Length - offset) return default;
        if (_source is null) return _memory.Slice((int)offset, count);
        if (count > ChunkCache.ChunkBytes) return Window(offset, (ulong)count) is { } window && window.Length == count ? window : default;
        byte[] bytes = GC.AllocateUninitializedArray<byte>(count);
        return Chunks.TryCopy(offset, bytes) ? bytes : default;
    }

    /// <summary>As <see cref="Piece"/>.</summary>
    internal ReadOnlySpan<byte> Bytes(ulong offset, int count) => Piece(offset, count).Span;

    /// <summary>As <see cref="Piece"/>; fewer where the section ends.</summary>
    internal ReadOnlySpan<byte> Part(ulong offset, ulong count) =>
        offset >= Length ? default : Bytes(offset, (int)Math.Min(Math.Min(count, Length - offset), (ulong)Array.MaxLength));

    /// <summary>As <see cref="Bytes"/>, without a copy: for what is looked at now, as it is valid until the next call of any method of this section.</summary>
    internal ReadOnlySpan<byte> Peek(ulong offset, int count)
    {
        if (offset >= Length || count <= 0 || (ulong)count > Length - offset) return default;
        if (_source is null) return _memory.Span.Slice((int)offset, count);
        ReadOnlySpan<byte> chunk = Chunks.From(offset);
        if (chunk.Length >= count) return chunk[..count];
        if (_peeked.Length < count) _peeked = new byte[Math.Max(count, _peeked.Length * 2)];
        Span<byte> bytes = _peeked.AsSpan(0, count);
        return (count > ChunkCache.ChunkBytes ? Read(offset, bytes) == count : Chunks.TryCopy(offset, bytes)) ? bytes : default;
    }

    /// <summary>The string that ends with a NUL byte, as UTF-8; null if the offset is beyond the end.</summary>
    public string? StringAt(ulong offset) => offset < Length ? Encoding.UTF8.GetString(StringBytesAt(offset)) : null;

    /// <summary>The bytes up to the next NUL; empty beyond the end. They are valid as those of <see cref="Peek"/>.</summary>
    internal ReadOnlySpan<byte> StringBytesAt(ulong offset)
    {
        if (offset >= Length) return default;
        ReadOnlySpan<byte> near = _source is null ? _memory.Span[(int)offset..] : Chunks.From(offset);
        int end = near.IndexOf((byte)0);
        if (end >= 0) return near[..end];
        for (ulong size = FirstStringBytes; ; size *= 8)
        {
            ReadOnlySpan<byte> longer = Window(offset, size).Span;
            end = longer.IndexOf((byte)0);
            if (end >= 0) return longer[..end];
            if (size >= Length - offset || size >= MaximumStringBytes) return longer[..Math.Min(longer.Length, MaximumStringBytes)];
        }
    }

    /// <summary>Takes the memory that reading here and there will need.</summary>
    internal void Prepare()
    {
        if (_source is not null && Length > 0) _ = Chunks;
    }

    private ChunkCache Chunks => _chunks ??= new ChunkCache(_source!, _start, (long)Length, CachedBytes);
}
