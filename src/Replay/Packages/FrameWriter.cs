using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;

namespace Replay.Packages;

/// <summary>
/// Appends frames to a file and keeps what an index of them needs. Each frame is one write, so that a killed process leaves whole frames
/// and at most one torn one at the end. One thread at a time.
/// </summary>
internal sealed class FrameWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly MemoryStream _buffer = new();
    private readonly FrameTableBuilder _table = new();
    private long _sizeBytes;

    public FrameWriter(string path) => _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);

    /// <summary>Callable from any thread.</summary>
    public long SizeBytes => System.Threading.Volatile.Read(ref _sizeBytes);

    public void Append(FrameKind kind, ReadOnlySpan<byte> meta, ReadOnlySpan<byte> payload)
    {
        Frame.Build(_buffer, kind, meta, payload);
        ReadOnlySpan<byte> frame = _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length);
        _table.Add(Frame.ParseHeader(frame, _sizeBytes)!.Value, meta);
        _file.Write(frame);
        System.Threading.Volatile.Write(ref _sizeBytes, _sizeBytes + frame.Length);
    }

    public FrameTable Table(PartReader part) => _table.Build(part);

    public void Dispose()
    {
        _file.Dispose();
        _buffer.Dispose();
    }
}

/// <summary>Collects <see cref="FrameInfo"/>s with their metadata.</summary>
internal sealed class FrameTableBuilder
{
    private readonly List<FrameInfo> _frames = [];
    private readonly ArrayBufferWriter<byte> _meta = new();

    public void Add(in FrameInfo frame, ReadOnlySpan<byte> meta)
    {
        _frames.Add(frame);
        _meta.Write(meta);
    }

    public FrameTable Build(PartReader part) => new(part, _frames.ToArray(), _meta.WrittenSpan.ToArray());
}
