using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Replay.Checkpoints;
using Vmm.Memory;
using Vmm.Platform;

namespace Replay.Packages;

/// <summary>
/// Finds pages of memory in the images that they came from. Loaders put a file at page boundaries, whatever the offset in it, which is one of sectors. What is compressed within an image is
/// found, too, also where little was changed since, as Linux's kernel changes itself when it moves to a random address.
/// </summary>
internal sealed class ImagePages
{
    private const int Alignment = 512, KeyOffset = 128;
    // Of what was unpacked, words are known at these distances at least, more of them while the table stays this small; a page is asked at every such distance.
    private const int SampleDistance = 32, MinimumDistance = 4, SampleSizeBytes = 8, PlannedCount = 2 << 20;
    private const int MinimumVoteCount = 4, MaximumDifferenceCount = 2000;

    private readonly List<(int Source, ReadOnlyMemory<byte> Content)> _contents = [];
    private readonly Dictionary<UInt128, (int Content, int Offset)> _places = [];
    private readonly Dictionary<ulong, (int Content, int Offset)> _samples = [];

    public ImagePages(MachineConfiguration machine, IReadOnlyList<ManifestImage> images)
    {
        for (int number = 0; number < images.Count; number++)
        {
            if (machine.FindImage(images[number].Role) is not { } image) continue;
            _contents.Add((number, image.Content));
            for (int offset = 0; offset <= image.Content.Length - PagedMemory.PageSizeBytes; offset += Alignment)
                _places.TryAdd(Key(image.Content.Span[offset..]), (_contents.Count - 1, offset));
        }
        for (int number = 0; number < images.Count; number++)
            if (machine.FindImage(images[number].Role) is { } image && UnpackedImage.Of(image.Content) is { } content) AddUnpacked(images.Count + number, content);
    }

    /// <summary>Whether something was unpacked, which older readers of the format do not do.</summary>
    public bool HasUnpacked { get; private set; }

    /// <summary>How to pack a page: by where it is, by its differences from there, or as it is.</summary>
    public PackedPages.Page Pack(byte[] page, UInt128 hash)
    {
        if (_places.TryGetValue(Key(page), out (int Content, int Offset) place) && At(place).SequenceEqual(page))
            return new PackedPages.Page([], hash, _contents[place.Content].Source, place.Offset);
        if (Nearest(page) is not { } near) return new PackedPages.Page(page, hash, PackedPages.NoSource, 0);
        ReadOnlySpan<byte> source = At(near);
        int count = 0;
        var differences = new byte[page.Length];
        for (int i = 0; i < page.Length; i++)
        {
            differences[i] = (byte)(page[i] - source[i]);
            if (differences[i] != 0) count++;
        }
        if (count > MaximumDifferenceCount) return new PackedPages.Page(page, hash, PackedPages.NoSource, 0);
        return new PackedPages.Page(count == 0 ? [] : differences, hash, _contents[near.Content].Source, near.Offset);
    }

    private void AddUnpacked(int source, byte[] content)
    {
        HasUnpacked = true;
        _contents.Add((source, content));
        int distance = MinimumDistance;
        while (distance < SampleDistance && content.Length / distance > PlannedCount) distance *= 2;
        for (int offset = 0; offset <= content.Length - SampleSizeBytes; offset += distance)
        {
            ulong sample = MemoryMarshal.Read<ulong>(content.AsSpan(offset));
            if (sample is not 0 and not ulong.MaxValue) _samples.TryAdd(sample, (_contents.Count - 1, offset));
        }
    }

    // Where most words of the page are at their places.
    private (int Content, int Offset)? Nearest(ReadOnlySpan<byte> page)
    {
        if (!HasUnpacked) return null;
        var votes = new Dictionary<(int Content, int Offset), int>();
        (int Content, int Offset) best = default;
        int most = 0;
        for (int i = 0; i < page.Length; i += SampleDistance)
        {
            if (!_samples.TryGetValue(MemoryMarshal.Read<ulong>(page[i..]), out (int Content, int Offset) place)) continue;
            place.Offset -= i;
            if (place.Offset < 0 || place.Offset > _contents[place.Content].Content.Length - page.Length) continue;
            int count = ++CollectionsMarshal.GetValueRefOrAddDefault(votes, place, out _);
            if (count > most) (best, most) = (place, count);
        }
        return most < MinimumVoteCount ? null : best;
    }

    private ReadOnlySpan<byte> At((int Content, int Offset) place) => _contents[place.Content].Content.Span.Slice(place.Offset, PagedMemory.PageSizeBytes);

    // Sixteen bytes from inside the page; what they do not tell apart is stored.
    private static UInt128 Key(ReadOnlySpan<byte> page) => MemoryMarshal.Read<UInt128>(page[KeyOffset..]);
}
