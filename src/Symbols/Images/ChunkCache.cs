using System;
using System.Collections.Generic;

namespace Symbols.Images;

/// <summary>
/// What was read last of a part of an image, in chunks. Their memory is one block that is used again and again: nothing that is read here and there is left for the garbage
/// collector to move, whose pauses would otherwise be the longest part of a look-up.
/// </summary>
internal sealed class ChunkCache
{
    /// <summary>What is read at once: a page.</summary>
    internal const int ChunkBytes = 1 << 12;

    private readonly ImageSource _source;
    private readonly long _start, _length;
    private readonly Dictionary<long, int> _places;
    private readonly Chunk[] _chunks;
    private readonly byte[] _memory;
    private int _count, _next;

    /// <param name="source">The image.</param>
    /// <param name="start">Where the part starts.</param>
    /// <param name="length">How many bytes it has.</param>
    /// <param name="maximumBytes">So much of it is kept.</param>
    internal ChunkCache(ImageSource source, long start, long length, int maximumBytes)
    {
        _source = source;
        _start = start;
        _length = length;
        int count = (int)Math.Min((length + ChunkBytes - 1) / ChunkBytes, Math.Max(1, maximumBytes / ChunkBytes));
        _places = new Dictionary<long, int>(count);
        _chunks = new Chunk[count];
        _memory = GC.AllocateUninitializedArray<byte>(count * ChunkBytes);
    }

    // Which chunk of the part it is, how much of it was there, and whether it was used since the hand went over it.
    private record struct Chunk(long Number, int Size, bool IsUsed);

    /// <summary>From an offset to the end of its chunk, valid until the next call; empty if it cannot be read.</summary>
    internal ReadOnlySpan<byte> From(ulong offset)
    {
        ReadOnlySpan<byte> chunk = At((long)(offset / ChunkBytes));
        int within = (int)(offset % ChunkBytes);
        return within < chunk.Length ? chunk[within..] : default;
    }

    /// <summary>False: not all of it is there.</summary>
    internal bool TryCopy(ulong offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            ReadOnlySpan<byte> chunk = From(offset);
            if (chunk.IsEmpty) return false;
            int count = Math.Min(chunk.Length, destination.Length);
            chunk[..count].CopyTo(destination);
            destination = destination[count..];
            offset += (ulong)count;
        }
        return true;
    }

    private ReadOnlySpan<byte> At(long number)
    {
        if (!_places.TryGetValue(number, out int place))
        {
            place = Take();
            Span<byte> memory = _memory.AsSpan(place * ChunkBytes, (int)Math.Min(ChunkBytes, _length - (number * ChunkBytes)));
            _chunks[place] = new Chunk(number, _source.Read(_start + (number * ChunkBytes), memory), true);
            _places[number] = place;
        }
        ref Chunk chunk = ref _chunks[place];
        chunk.IsUsed = true;
        return _memory.AsSpan(place * ChunkBytes, chunk.Size);
    }

    // Room for one more: new memory, or that of a chunk that was not used for long.
    private int Take()
    {
        if (_count < _chunks.Length) return _count++;
        while (_chunks[_next].IsUsed)
        {
            _chunks[_next].IsUsed = false;
            _next = (_next + 1) % _chunks.Length;
        }
        int place = _next;
        _next = (_next + 1) % _chunks.Length;
        _places.Remove(_chunks[place].Number);
        return place;
    }
}
