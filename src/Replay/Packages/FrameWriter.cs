using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;

namespace Replay.Packages;

/// <summary>
/// Appends frames to a file and keeps what an index of them needs. Each frame is one write, so that a killed process leaves whole frames
/// and at most one torn one at the end. One thread appends; any may ask for a table of what is there.
/// </summary>
internal sealed class FrameWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly MemoryStream _buffer = new();
    private readonly FrameTableBuilder _table = new();
    private readonly System.Threading.Lock _gate = new();
    private long _sizeBytes;

    public FrameWriter(string path)
    {
        Path = path;
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    public string Path { get; }

    /// <summary>Callable from any thread.</summary>
    public long SizeBytes => System.Threading.Volatile.Read(ref _sizeBytes);

    public void Append(FrameKind kind, ReadOnlySpan<byte> meta, ReadOnlySpan<byte> payload, FrameCompression compression = FrameCompression.Zlib)
    {
        Frame.Build(_buffer, kind, meta, payload, compression);
        Append(_buffer, meta);
    }

    /// <summary>Appends a frame that was put together before.</summary>
    public void Append(MemoryStream built, ReadOnlySpan<byte> meta)
    {
        ReadOnlySpan<byte> frame = built.GetBuffer().AsSpan(0, (int)built.Length);
        _file.Write(frame);
        lock (_gate)
        {
            _table.Add(Frame.ParseHeader(frame, _sizeBytes)!.Value, meta);
            System.Threading.Volatile.Write(ref _sizeBytes, _sizeBytes + frame.Length);
        }
    }

    /// <summary>What has been written up to now.</summary>
    /// <param name="handle">The file, open for reading.</param>
    /// <param name="fileName">For messages.</param>
    public FrameTable Table(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string fileName)
    {
        lock (_gate) return _table.Build(new PartReader(handle, fileName, System.IO.Path.GetFileName(Path), _sizeBytes));
    }

    public void Dispose()
    {
        _file.Dispose();
        _buffer.Dispose();
    }
}

/// <summary>Collects <see cref="FrameInfo"/>s with their metadata, one behind the other.</summary>
internal sealed class FrameTableBuilder
{
    private readonly ArrayBufferWriter<byte> _entries = new();
    private readonly List<FrameTable.Mark> _marks = [];
    private int _count;
    private long _end;

    public void Add(in FrameInfo frame, ReadOnlySpan<byte> meta)
    {
        Vmm.Invariant.Check(frame.Offset == _end && frame.MetaLength == meta.Length);
        if (_count++ % FrameTable.Stride == 0) _marks.Add(new FrameTable.Mark(_entries.WrittenCount, frame.Offset));
        FrameTable.WriteEntry(_entries, frame, meta);
        _end = frame.End;
    }

    public FrameTable Build(PartReader part) => new(part, _entries.WrittenSpan.ToArray(), _count, [.. _marks], _end);
}
