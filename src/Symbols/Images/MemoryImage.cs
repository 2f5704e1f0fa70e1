using System;

namespace Symbols.Images;

/// <summary>An image whose bytes are in memory, such as one taken out of a recording.</summary>
public sealed class MemoryImage(ReadOnlyMemory<byte> bytes, string name) : ImageSource
{
    public override string Name => name;

    public override long Length => bytes.Length;

    public override ReadOnlyMemory<byte> Window(long offset, int count)
    {
        if (offset < 0 || offset >= bytes.Length || count <= 0) return default;
        return bytes.Slice((int)offset, (int)Math.Min(count, bytes.Length - offset));
    }
}
