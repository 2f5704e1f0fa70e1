using System;
using System.IO;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// The bytes of an index that is being written: a file of the cache under a name of its own, or memory where there is none; and memory from then on where the file
/// cannot be written any more, as when the disk is full.
/// </summary>
internal sealed class UnfinishedIndex : Stream
{
    private readonly string? _path;
    private Stream _stream;

    /// <summary>In memory.</summary>
    internal UnfinishedIndex() => _stream = new MemoryStream();

    /// <param name="stream">A new file's; belongs to this. It can be read, too.</param>
    /// <param name="path">Where it is.</param>
    internal UnfinishedIndex(Stream stream, string path)
    {
        _stream = stream;
        _path = path;
    }

    public override bool CanRead => false;

    public override bool CanSeek => true;

    public override bool CanWrite => true;

    public override long Length => _stream.Length;

    public override long Position
    {
        get => _stream.Position;
        set => _stream.Position = value;
    }

    /// <summary>It is complete: gives it its name in the cache, and how it is read from now on.</summary>
    internal ImageSource Finish(string? name)
    {
        if (_stream is MemoryStream memory) return new MemoryImage(memory.GetBuffer().AsMemory(0, (int)memory.Length), "index");
        try
        {
            _stream.Flush();
            _stream.Dispose();
            var image = new FileImage(_path!);
            try
            {
                File.Move(_path!, name!, overwrite: true);
                return image;
            }
            catch (Exception e) when (IsRefusal(e))
            {
                using (image) return new MemoryImage(image.Window(0, (int)Math.Min(image.Length, Array.MaxLength)), "index");
            }
        }
        finally
        {
            Remove();
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        long position = _stream.Position;
        try
        {
            _stream.Write(buffer);
        }
        catch (Exception e) when (_path is not null && IsRefusal(e))
        {
            ContinueInMemory(position);
            _stream.Write(buffer);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => _stream.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => _stream.Seek(offset, origin);

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stream.Dispose();
            Remove();
        }
        base.Dispose(disposing);
    }

    /// <summary>Such a failure means that there is no cache.</summary>
    internal static bool IsRefusal(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException;

    private void ContinueInMemory(long position)
    {
        var memory = new MemoryStream();
        _stream.Position = 0;
        _stream.CopyTo(memory);
        memory.SetLength(Math.Max(memory.Length, position));
        memory.Position = position;
        _stream.Dispose();
        Remove();
        _stream = memory;
    }

    private void Remove()
    {
        try
        {
            if (_path is not null) File.Delete(_path);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            // There is nothing left to do.
        }
    }
}
