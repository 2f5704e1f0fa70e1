using System;
using Vmm.Memory;

namespace Vmm.Devices;

/// <summary>The pages of an immutable image. Behind the image's end everything is zero.</summary>
internal sealed class ImagePageSource(ReadOnlyMemory<byte> image) : IPageSource
{
    public void ReadPage(int pageIndex, Span<byte> destination)
    {
        long offset = (long)pageIndex << PagedMemory.PageShift;
        int count = (int)Math.Clamp(image.Length - offset, 0, destination.Length);
        if (count > 0) image.Span.Slice((int)offset, count).CopyTo(destination);
        destination[count..].Clear();
    }
}
