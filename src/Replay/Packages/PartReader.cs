using System;
using Microsoft.Win32.SafeHandles;

namespace Replay.Packages;

/// <summary>A range of a file that is one part of a recording: an entry of the container, or a file of a partial directory.
/// Thread-safe.</summary>
internal sealed class PartReader(ByteSource bytes, string fileName, string partName, long start, long sizeBytes)
{
    /// <summary>A file that is one part. The handle is only lent.</summary>
    public PartReader(SafeFileHandle handle, string fileName, string partName, long sizeBytes)
        : this(new PlainBytes(handle), fileName, partName, 0, sizeBytes)
    {
    }

    public long SizeBytes => sizeBytes;

    /// <summary>For messages: "demo.ttvm, part 'log'".</summary>
    public string Description => $"{fileName}, part '{partName}'";

    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > sizeBytes || destination.Length > sizeBytes - offset) throw Damaged(offset, "the part ends there");
        while (destination.Length > 0)
        {
            int read = bytes.Read(start + offset, destination);
            if (read == 0) throw Damaged(offset, "the file ends there");
            destination = destination[read..];
            offset += read;
        }
    }

    public byte[] ReadAll(int maxSizeBytes)
    {
        if (sizeBytes > maxSizeBytes) throw Damaged(0, $"it has {sizeBytes} bytes, at most {maxSizeBytes} are believable");
        var content = new byte[sizeBytes];
        Read(0, content);
        return content;
    }

    public RecordingFormatException Damaged(long offset, string what) =>
        new($"{fileName} is damaged: part '{partName}', offset {offset}: {what}");
}
