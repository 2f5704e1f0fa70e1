using System;
using Vmm.Memory;

namespace Vmm.Devices.Virtio;

/// <summary>
/// The buffers of one descriptor chain as two streams: what the driver wrote for the device, then what the device may write (virtio 1.2,
/// 2.7.4.2). Devices see bytes at offsets and never how the driver cut them into buffers (2.7.4). Reused from chain to chain.
/// </summary>
internal sealed class VirtioChain
{
    private readonly record struct Buffer(ulong Address, uint Length);

    private readonly Buffer[] _buffers = new Buffer[VirtQueue.MaximumSize];
    private PhysicalMemory _memory = null!;
    private int _count, _readableCount;

    public ushort Head { get; private set; }
    public long ReadableBytes { get; private set; }
    public long WritableBytes { get; private set; }
    public long TotalBytes => ReadableBytes + WritableBytes;

    public void Begin(PhysicalMemory memory, ushort head)
    {
        _memory = memory;
        Head = head;
        _count = _readableCount = 0;
        ReadableBytes = WritableBytes = 0;
    }

    /// <summary>Appends a buffer; false when there are too many, or one to read follows one to write.</summary>
    public bool TryAdd(ulong address, uint length, bool isWritable)
    {
        if (_count == _buffers.Length || (!isWritable && _readableCount < _count)) return false;
        _buffers[_count++] = new Buffer(address, length);
        if (isWritable)
        {
            WritableBytes += length;
        }
        else
        {
            _readableCount++;
            ReadableBytes += length;
        }
        return true;
    }

    /// <summary>Reads from the readable part at an offset; returns how many bytes there were.</summary>
    public int Read(long offset, Span<byte> destination)
    {
        int done = 0;
        for (int i = 0; i < _readableCount && done < destination.Length; i++)
        {
            Buffer buffer = _buffers[i];
            if (offset >= buffer.Length)
            {
                offset -= buffer.Length;
                continue;
            }
            int count = (int)Math.Min(buffer.Length - offset, destination.Length - done);
            _memory.Read(new GuestPhysicalAddress(buffer.Address + (ulong)offset), destination.Slice(done, count));
            done += count;
            offset = 0;
        }
        return done;
    }

    /// <summary>Writes to the writable part at an offset; returns how many bytes fitted.</summary>
    public int Write(long offset, ReadOnlySpan<byte> source)
    {
        int done = 0;
        for (int i = _readableCount; i < _count && done < source.Length; i++)
        {
            Buffer buffer = _buffers[i];
            if (offset >= buffer.Length)
            {
                offset -= buffer.Length;
                continue;
            }
            int count = (int)Math.Min(buffer.Length - offset, source.Length - done);
            _memory.Write(new GuestPhysicalAddress(buffer.Address + (ulong)offset), source.Slice(done, count));
            done += count;
            offset = 0;
        }
        return done;
    }
}
