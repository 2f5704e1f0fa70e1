using System;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace Replay.Packages;

/// <summary>The bytes of a recording's file, wherever they come from. Thread-safe.</summary>
internal abstract class ByteSource : IDisposable
{
    public abstract long SizeBytes { get; }

    /// <summary>Reads as many bytes as there are, at most as many as asked for.</summary>
    /// <returns>How many; 0: there are none from there on.</returns>
    public abstract int Read(long offset, Span<byte> destination);

    /// <summary>Closes the file.</summary>
    public abstract void Dispose();
}

/// <summary>A file as it is.</summary>
internal sealed class PlainBytes(SafeFileHandle handle) : ByteSource
{
    public override long SizeBytes { get; } = RandomAccess.GetLength(handle);

    public override int Read(long offset, Span<byte> destination) => RandomAccess.Read(handle, destination, offset);

    public override void Dispose() => handle.Dispose();
}
