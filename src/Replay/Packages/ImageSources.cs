using System;
using System.Collections.Generic;
using System.Threading;

namespace Replay.Packages;

/// <summary>
/// What packed pages can be made of: the images of a manifest by their numbers, and behind these, in the same order, what is compressed within each. An image is unpacked when it is first
/// needed. Thread-safe.
/// </summary>
internal sealed class ImageSources
{
    private readonly IReadOnlyList<PartReader> _images;
    private readonly Lazy<byte[]?>[] _unpacked;

    public ImageSources(IReadOnlyList<PartReader> images)
    {
        _images = images;
        _unpacked = new Lazy<byte[]?>[images.Count];
        for (int i = 0; i < _unpacked.Length; i++)
        {
            PartReader image = images[i];
            _unpacked[i] = new Lazy<byte[]?>(() => UnpackedImage.Of(image.ReadAll(Array.MaxLength)), LazyThreadSafetyMode.ExecutionAndPublication);
        }
    }

    /// <summary>Reads from one; false: there is none of that number, or it has no such bytes.</summary>
    public bool Read(int source, long offset, Span<byte> destination)
    {
        if (source < 0 || offset < 0) return false;
        if (source < _images.Count)
        {
            if (offset > _images[source].SizeBytes - destination.Length) return false;
            _images[source].Read(offset, destination);
            return true;
        }
        if (source - _images.Count >= _unpacked.Length || _unpacked[source - _images.Count].Value is not { } content || offset > content.Length - destination.Length) return false;
        content.AsSpan((int)offset, destination.Length).CopyTo(destination);
        return true;
    }
}
