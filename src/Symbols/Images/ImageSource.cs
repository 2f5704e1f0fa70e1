using System;

namespace Symbols.Images;

/// <summary>A file's bytes at random offsets: in memory, or on disk and read as they are needed.</summary>
public abstract class ImageSource : IDisposable
{
    /// <summary>What messages call it: a path, or what it was read from.</summary>
    public abstract string Name { get; }

    /// <summary>Size in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>The bytes from <paramref name="offset"/>; fewer than <paramref name="count"/> where the image ends.</summary>
    public abstract ReadOnlyMemory<byte> Window(long offset, int count);

    /// <summary>Fills a buffer of the caller's; how many bytes were there.</summary>
    public virtual int Read(long offset, Span<byte> destination)
    {
        ReadOnlyMemory<byte> bytes = Window(offset, destination.Length);
        bytes.Span.CopyTo(destination);
        return bytes.Length;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }
}
