using System;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace Symbols.Images;

/// <summary>
/// An image on disk. Each window is read when asked for and belongs to the caller: a kernel's debug file of 500 MB costs the memory of
/// the units that are looked at. (A memory mapping would need pointers, and a truncated file would be a SIGBUS instead of a short read.)
/// </summary>
public sealed class FileImage : ImageSource
{
    private readonly SafeFileHandle _handle;

    /// <exception cref="SymbolFormatException">The file cannot be opened.</exception>
    public FileImage(string path)
    {
        Name = path;
        try
        {
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
            Length = RandomAccess.GetLength(_handle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new SymbolFormatException($"{path} cannot be opened: {e.Message}", e);
        }
    }

    public override string Name { get; }

    public override long Length { get; }

    public override ReadOnlyMemory<byte> Window(long offset, int count)
    {
        if (offset < 0 || offset >= Length || count <= 0) return default;
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)Math.Min(count, Length - offset));
        // It is shorter only if someone cut the file off after it was opened.
        return bytes.AsMemory(0, Read(offset, bytes));
    }

    public override int Read(long offset, Span<byte> destination)
    {
        int filled = 0;
        while (filled < destination.Length && RandomAccess.Read(_handle, destination[filled..], offset + filled) is > 0 and int read) filled += read;
        return filled;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _handle.Dispose();
        base.Dispose(disposing);
    }
}
