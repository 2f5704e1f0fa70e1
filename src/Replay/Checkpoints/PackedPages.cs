using System;
using System.Buffers;
using System.Collections.Generic;
using Replay.Log;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>Reads bytes of an image by its number in the manifest; false: it has none there.</summary>
internal delegate bool ImageBytes(int number, long offset, Span<byte> destination);

/// <summary>Chunks of pages as small as they get: pages that an image has are not stored again. See docs/TRACE_FORMAT.md, "Packed pages".</summary>
internal static class PackedPages
{
    public const int PagesPerChunk = 256;
    public const int PageWithHashSizeBytes = PagedMemory.PageSizeBytes + PageHash.SizeBytes;

    /// <summary>With two numbers that say where an image has it, and then without content; or with one and content.</summary>
    public const int MaximumSizeBytesOfPage = PageWithHashSizeBytes + 20;

    /// <summary>A page to pack: its content, or where an image has it.</summary>
    /// <param name="Content">Nothing if an image has it.</param>
    /// <param name="Hash">Its hash.</param>
    /// <param name="Image">The image's number; -1: none.</param>
    /// <param name="Offset">Where it is there.</param>
    public readonly record struct Page(byte[] Content, UInt128 Hash, int Image, long Offset);

    public static byte[] Encode(IReadOnlyList<Page> pages)
    {
        var payload = new ArrayBufferWriter<byte>(pages.Count * PageWithHashSizeBytes);
        foreach (Page page in pages)
        {
            VarInt.Write(payload, (ulong)(page.Image + 1));
            if (page.Image >= 0) VarInt.Write(payload, (ulong)page.Offset);
        }
        foreach (Page page in pages) payload.Write(page.Content);
        foreach (Page page in pages)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(payload.GetSpan(PageHash.SizeBytes), page.Hash);
            payload.Advance(PageHash.SizeBytes);
        }
        return payload.WrittenSpan.ToArray();
    }

    /// <summary>All pages, then their hashes; null: the payload is not possible.</summary>
    public static byte[]? Expand(ReadOnlySpan<byte> payload, int count, ImageBytes? images)
    {
        var content = new byte[count * PageWithHashSizeBytes];
        var reader = new VarIntReader(payload);
        var isStored = new bool[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryRead(out ulong image)) return null;
            isStored[i] = image == 0;
            if (isStored[i]) continue;
            if (image > int.MaxValue || !reader.TryRead(out ulong offset) || offset > long.MaxValue || images is null) return null;
            if (!images((int)image - 1, (long)offset, content.AsSpan(i * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes))) return null;
        }
        for (int i = 0; i < count; i++)
        {
            if (!isStored[i]) continue;
            if (!reader.TryTake(PagedMemory.PageSizeBytes, out ReadOnlySpan<byte> page)) return null;
            page.CopyTo(content.AsSpan(i * PagedMemory.PageSizeBytes));
        }
        if (!reader.TryTake(count * PageHash.SizeBytes, out ReadOnlySpan<byte> hashes) || !reader.AtEnd) return null;
        hashes.CopyTo(content.AsSpan(count * PagedMemory.PageSizeBytes));
        return content;
    }
}
