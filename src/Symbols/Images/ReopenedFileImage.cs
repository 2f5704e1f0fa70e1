using System;
using System.IO;
using Microsoft.Win32.SafeHandles;

namespace Symbols.Images;

/// <summary>
/// An image on disk that is opened for each read: for files of which there may be thousands, as a program has one .dwo file for each unit
/// and a process has few handles. What was read before it was replaced is not mixed up with what came later: its length and time are checked.
/// </summary>
internal sealed class ReopenedFileImage : ImageSource
{
    private readonly DateTime _written;

    /// <exception cref="SymbolFormatException">The file cannot be opened.</exception>
    internal ReopenedFileImage(string path)
    {
        Name = path;
        try
        {
            Length = new FileInfo(path).Length;
            _written = File.GetLastWriteTimeUtc(path);
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
        try
        {
            using SafeFileHandle handle = File.OpenHandle(Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
            if (RandomAccess.GetLength(handle) != Length || File.GetLastWriteTimeUtc(handle) != _written) return default;
            byte[] bytes = new byte[Math.Min(count, Length - offset)];
            int filled = 0;
            while (filled < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(filled), offset + filled) is > 0 and int read) filled += read;
            return bytes.AsMemory(0, filled);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
