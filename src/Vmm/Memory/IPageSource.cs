using System;

namespace Vmm.Memory;

/// <summary>Where the content of an absent page comes from: an image file, or a checkpoint's page store.</summary>
public interface IPageSource
{
    /// <summary>Fills <paramref name="destination"/> (4,096 bytes) with the content of page <paramref name="pageIndex"/>.</summary>
    void ReadPage(int pageIndex, Span<byte> destination);
}
