using System;
using System.IO;

namespace Replay.Packages;

/// <summary>The parts of a recording that is still being made, read while their writers go on. Disposing of it closes the files for reading only.</summary>
internal sealed class GrowingParts : IDisposable
{
    private readonly string _directory;
    private readonly Part _log, _checkpoints, _pages;

    private readonly record struct Part(FrameWriter Writer, FileStream File);

    public GrowingParts(string partialDirectory, FrameWriter log, FrameWriter checkpoints, FrameWriter pages)
    {
        _directory = partialDirectory;
        _log = Open(log);
        _checkpoints = Open(checkpoints);
        _pages = Open(pages);
    }

    /// <summary>Of all parts, up to now.</summary>
    public long SizeBytes => _log.Writer.SizeBytes + _checkpoints.Writer.SizeBytes + _pages.Writer.SizeBytes;

    public FrameTable ReadLog() => Read(_log);
    public FrameTable ReadCheckpoints() => Read(_checkpoints);
    public FrameTable ReadPages() => Read(_pages);

    public void Dispose()
    {
        _log.File.Dispose();
        _checkpoints.File.Dispose();
        _pages.File.Dispose();
    }

    private static Part Open(FrameWriter writer) =>
        new(writer, new FileStream(writer.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1));

    private FrameTable Read(in Part part) => part.Writer.Table(part.File.SafeFileHandle, _directory);
}
