using System;
using System.Collections.Generic;

namespace Symbols.Images;

/// <summary>
/// What was read last of a part of an image, in chunks. Their memory is taken in a few large blocks and used again and again: nothing that is read here and there is left
/// for the garbage collector to move, whose pauses would otherwise be the longest part of a look-up.
/// </summary>
/// <param name="source">The image.</param>
/// <param name="start">Where the part starts.</param>
/// <param name="length">How many bytes it has.</param>
internal sealed class ChunkCache(ImageSource source, long start, long length)
{
    /// <summary>What is read at once: a page.</summary>
    internal const int ChunkBytes = 1 << 12;

    private const int BlockChunks = 256, MaximumBlocks = 16;

    private readonly Dictionary<long, int> _places = [];
    private readonly List<byte[]> _blocks = [];
    private readonly List<Chunk> _chunks = [];
    private int _next;

    // Which chunk of the part it is, how much of it was there, and whether it was used since the hand went over it.
    private record struct Chunk(long Number, int Size, bool IsUsed);

    /// <summary>From an offset to the end of its chunk, valid until the next call; empty if it cannot be read.</summary>
    internal ReadOnlySpan<byte> From(ulong offset)
    {
        long number = (long)(offset / ChunkBytes);
        int within = (int)(offset % ChunkBytes);
        ReadOnlySpan<byte> chunk = At(number);
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
        if (_places.TryGetValue(number, out int place))
        {
            Chunk known = _chunks[place];
            if (!known.IsUsed) _chunks[place] = known with { IsUsed = true };
            return Memory(place)[..known.Size];
        }
        place = Take();
        Span<byte> memory = Memory(place);
        int size = (int)Math.Min(ChunkBytes, length - (number * ChunkBytes));
        size = source.Read(start + (number * ChunkBytes), memory[..size]);
        _chunks[place] = new Chunk(number, size, true);
        _places[number] = place;
        return memory[..size];
    }

    private Span<byte> Memory(int place) => _blocks[place / BlockChunks].AsSpan(place % BlockChunks * ChunkBytes, ChunkBytes);

    // Room for one more: new memory, or that of a chunk that was not used for the longest time, about.
    private int Take()
    {
        if (_chunks.Count < _blocks.Count * BlockChunks && _chunks.Count < TotalChunks)
        {
            _chunks.Add(default);
            return _chunks.Count - 1;
        }
        if (_blocks.Count < MaximumBlocks && _chunks.Count < TotalChunks)
        {
            long rest = Math.Min(BlockChunks, TotalChunks - _chunks.Count);
            _blocks.Add(GC.AllocateUninitializedArray<byte>((int)rest * ChunkBytes));
            _chunks.Add(default);
            return _chunks.Count - 1;
        }
        while (_chunks[_next].IsUsed)
        {
            _chunks[_next] = _chunks[_next] with { IsUsed = false };
            _next = (_next + 1) % _chunks.Count;
        }
        int place = _next;
        _next = (_next + 1) % _chunks.Count;
        _places.Remove(_chunks[place].Number);
        return place;
    }

    private long TotalChunks => (length + ChunkBytes - 1) / ChunkBytes;
}
