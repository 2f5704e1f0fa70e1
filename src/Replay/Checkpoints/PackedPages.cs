using System;
using System.Buffers;
using System.Collections.Generic;
using Replay.Log;
using Replay.Packages;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>Reads bytes of what pages can be made of (<see cref="ImageSources"/>); false: it has none there.</summary>
internal delegate bool ImageBytes(int source, long offset, Span<byte> destination);

/// <summary>Chunks of pages as small as they get: what an image has is not stored again. See docs/TRACE_FORMAT.md, "Packed pages".</summary>
internal static class PackedPages
{
    public const int PagesPerChunk = 256;
    public const int PageWithHashSizeBytes = PagedMemory.PageSizeBytes + PageHash.SizeBytes;
    public const int NoSource = -1;

    /// <summary>With two numbers that say what it is made of, and content or differences.</summary>
    public const int MaximumSizeBytesOfPage = PageWithHashSizeBytes + 20;

    /// <summary>A page to pack: its content, where an image has it, or its differences from there.</summary>
    /// <param name="Content">Nothing if an image has it; differences, byte by byte modulo 256, if there is a source.</param>
    /// <param name="Hash">Its hash.</param>
    /// <param name="Source">The number of what it is made of; <see cref="NoSource"/>: nothing.</param>
    /// <param name="Offset">Where it is there.</param>
    public readonly record struct Page(byte[] Content, UInt128 Hash, int Source, long Offset);

    /// <param name="pages">Differences need <see cref="FrameKind.DifferentPages"/>.</param>
    /// <param name="kind">Of the frame.</param>
    public static byte[] Encode(IReadOnlyList<Page> pages, FrameKind kind)
    {
        var payload = new ArrayBufferWriter<byte>(pages.Count * PageWithHashSizeBytes);
        foreach (Page page in pages)
        {
            bool isDifferent = page.Source >= 0 && page.Content.Length > 0;
            Vmm.Invariant.Check(kind == FrameKind.DifferentPages || !isDifferent);
            int number = kind == FrameKind.PackedPages || page.Source < 0 ? page.Source : page.Source * 2 + (isDifferent ? 1 : 0);
            VarInt.Write(payload, (ulong)(number + 1));
            if (page.Source >= 0) VarInt.Write(payload, (ulong)page.Offset);
        }
        foreach (Page page in pages) payload.Write(page.Content);
        foreach (Page page in pages)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(payload.GetSpan(PageHash.SizeBytes), page.Hash);
            payload.Advance(PageHash.SizeBytes);
        }
        return payload.WrittenSpan.ToArray();
    }

    /// <summary>All pages, then their hashes. False: the payload is not possible.</summary>
    /// <param name="payload">Of the frame.</param>
    /// <param name="count">Of its pages.</param>
    /// <param name="kind">Of the frame.</param>
    /// <param name="images">Where it finds what images have; null: nowhere.</param>
    /// <param name="content">Of the size of the pages and hashes, whatever it holds.</param>
    public static bool TryExpand(ReadOnlySpan<byte> payload, int count, FrameKind kind, ImageBytes? images, byte[] content)
    {
        Vmm.Invariant.Check(content.Length == count * PageWithHashSizeBytes);
        Array.Clear(content);
        var reader = new VarIntReader(payload);
        var isStored = new bool[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryRead(out ulong number)) return false;
            isStored[i] = number == 0;
            if (isStored[i]) continue;
            if (number > int.MaxValue || !reader.TryRead(out ulong offset) || offset > long.MaxValue || images is null) return false;
            int source = (int)number - 1;
            if (kind == FrameKind.DifferentPages)
            {
                isStored[i] = (source & 1) != 0;
                source >>= 1;
            }
            if (!images(source, (long)offset, content.AsSpan(i * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes))) return false;
        }
        for (int i = 0; i < count; i++)
        {
            if (!isStored[i]) continue;
            if (!reader.TryTake(PagedMemory.PageSizeBytes, out ReadOnlySpan<byte> stored)) return false;
            // To zeros, or to what it is different from.
            Span<byte> page = content.AsSpan(i * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes);
            for (int k = 0; k < page.Length; k++) page[k] += stored[k];
        }
        if (!reader.TryTake(count * PageHash.SizeBytes, out ReadOnlySpan<byte> hashes) || !reader.AtEnd) return false;
        hashes.CopyTo(content.AsSpan(count * PagedMemory.PageSizeBytes));
        return true;
    }
}
