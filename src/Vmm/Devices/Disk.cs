using System;
using Vmm.Memory;

namespace Vmm.Devices;

/// <summary>
/// The content of a disk: 512-byte sectors over an immutable image. Pages come from the image when first touched and writes stay in
/// <see cref="Pages"/>, so the image's bytes never change and what differs from it is the overlay that checkpoints keep.
/// </summary>
internal sealed class Disk : IDisposable
{
    public const int SectorSizeBytes = 512;

    private const int SectorsPerPage = PagedMemory.PageSizeBytes / SectorSizeBytes;

    /// <param name="name">What snapshots and recordings call it: "disk0".</param>
    /// <param name="image">Its bytes; a last sector that is cut short is filled up with zeros.</param>
    /// <exception cref="DiskImageException">The image is empty.</exception>
    public Disk(string name, ReadOnlyMemory<byte> image)
    {
        if (image.IsEmpty) throw new DiskImageException($"the image of {name} is empty: a disk has at least one sector of 512 bytes");
        Name = name;
        SectorCount = (image.Length + SectorSizeBytes - 1L) / SectorSizeBytes;
        Pages = new PagedMemory(name, (int)((SectorCount + SectorsPerPage - 1) / SectorsPerPage));
        Pages.SetSource(new ImagePageSource(image));
        Pages.MakeAllAbsent();
    }

    public string Name { get; }
    public long SectorCount { get; }

    /// <summary>The content page by page, for checkpoints.</summary>
    public PagedMemory Pages { get; }

    /// <summary>Whether all of the range exists. Negative counts and wrapping sums do not.</summary>
    public bool Contains(ulong firstSector, ulong sectorCount) =>
        firstSector <= (ulong)SectorCount && sectorCount <= (ulong)SectorCount - firstSector;

    /// <summary>Reads whole sectors; false, with nothing read, when some of them do not exist.</summary>
    public bool TryRead(ulong firstSector, Span<byte> destination)
    {
        Invariant.Check(destination.Length % SectorSizeBytes == 0);
        if (!Contains(firstSector, (ulong)(destination.Length / SectorSizeBytes))) return false;
        Pages.Read((long)firstSector * SectorSizeBytes, destination);
        return true;
    }

    /// <summary>Writes whole sectors; false, with nothing written, when some of them do not exist.</summary>
    public bool TryWrite(ulong firstSector, ReadOnlySpan<byte> source)
    {
        Invariant.Check(source.Length % SectorSizeBytes == 0);
        if (!Contains(firstSector, (ulong)(source.Length / SectorSizeBytes))) return false;
        Pages.Write((long)firstSector * SectorSizeBytes, source);
        return true;
    }

    public void Dispose() => Pages.Dispose();
}
