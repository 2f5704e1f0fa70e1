using System;
using System.Buffers.Binary;
using Vmm.Devices.Pci;
using Vmm.Memory;

namespace Vmm.Devices.Virtio;

/// <summary>
/// A virtio block device on a <see cref="Disk"/> (virtio 1.2, 5.2): read, write, flush, get id, discard, write zeroes. Requests finish
/// when they are notified. Not modelled: several queues, secure erase, zones.
/// </summary>
internal sealed class VirtioBlock : VirtioPciDevice
{
    private const ushort DeviceType = 2;
    private const int RequestQueue = 0, HeaderSizeBytes = 16, IdSizeBytes = 20, RangeSizeBytes = 16, ConfigSizeBytes = 60;
    private const long MaximumRequestBytes = 64L << 20;
    private const uint MaximumRangeSectors = 65536;
    private const ulong Features = 1UL << 2 | 1UL << 6 | 1UL << 9 | 1UL << 13 | 1UL << 14; // SEG_MAX, BLK_SIZE, FLUSH, DISCARD, WRITE_ZEROES
    private const uint TypeIn = 0, TypeOut = 1, TypeFlush = 4, TypeGetId = 8, TypeDiscard = 11, TypeWriteZeroes = 13;
    private const byte StatusOk = 0, StatusIoError = 1, StatusUnsupported = 2;

    private readonly Disk _disk;
    private readonly byte[] _config = new byte[ConfigSizeBytes];
    private readonly byte[] _block = new byte[PagedMemory.PageSizeBytes];

    public VirtioBlock(string name, Disk disk, PhysicalMemory memory, IMsiSink messages)
        : base(name, DeviceType, 0x01_80_00, Features, 1, memory, messages)
    {
        ArgumentNullException.ThrowIfNull(disk);
        _disk = disk;
        BinaryPrimitives.WriteUInt64LittleEndian(_config, (ulong)disk.SectorCount);
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(12), (uint)QueueCapacity - 2); // seg_max: all but header and status
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(20), Disk.SectorSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(36), MaximumRangeSectors); // max_discard_sectors
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(40), 1); // max_discard_seg
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(44), 1); // discard_sector_alignment
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(48), MaximumRangeSectors); // max_write_zeroes_sectors
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(52), 1); // max_write_zeroes_seg
    }

    private protected override void ReadDeviceConfig(int offset, Span<byte> destination) => CopyConfig(_config, offset, destination);

    private protected override void OnNotify(int queueIndex)
    {
        bool any = false;
        // At most a queue's worth: a device that writes to its own available ring must not go on for ever.
        for (int i = 0; i < QueueCapacity && TryPop(RequestQueue, MaximumRequestBytes); i++)
        {
            if (!TryDoRequest(out uint written))
            {
                FailDevice();
                break;
            }
            PushUsed(RequestQueue, Chain.Head, written);
            any = true;
        }
        if (any) InterruptQueue(RequestQueue);
    }

    /// <summary>Does the request in the chain; false when it has no room for header or status, which leaves nothing to answer in.</summary>
    private bool TryDoRequest(out uint written)
    {
        written = 0;
        Span<byte> header = stackalloc byte[HeaderSizeBytes];
        if (Chain.Read(0, header) != HeaderSizeBytes || Chain.WritableBytes < 1) return false;
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        long statusAt = Chain.WritableBytes - 1;
        byte status = type switch
        {
            TypeIn => ReadDisk(sector, statusAt, ref written),
            TypeOut => WriteDisk(sector, Chain.ReadableBytes - HeaderSizeBytes),
            TypeFlush => StatusOk,
            TypeGetId => GetId(statusAt, ref written),
            TypeDiscard or TypeWriteZeroes => ZeroRange(),
            _ => StatusUnsupported,
        };
        _ = Chain.Write(statusAt, [status]);
        // What is reported as written must be an unbroken run from the start (2.7.8.2).
        written = written == statusAt ? written + 1 : statusAt == 0 ? 1 : written;
        return true;
    }

    private byte ReadDisk(ulong sector, long length, ref uint written)
    {
        if (!IsWholeSectors(sector, length)) return StatusIoError;
        for (long at = 0; at < length;)
        {
            Span<byte> block = _block.AsSpan(0, (int)Math.Min(_block.Length, length - at));
            if (!_disk.TryRead(sector + (ulong)(at / Disk.SectorSizeBytes), block)) return StatusIoError;
            _ = Chain.Write(at, block);
            at += block.Length;
            written = (uint)at;
        }
        return StatusOk;
    }

    private byte WriteDisk(ulong sector, long length)
    {
        if (!IsWholeSectors(sector, length)) return StatusIoError;
        for (long at = 0; at < length;)
        {
            Span<byte> block = _block.AsSpan(0, (int)Math.Min(_block.Length, length - at));
            _ = Chain.Read(HeaderSizeBytes + at, block);
            if (!_disk.TryWrite(sector + (ulong)(at / Disk.SectorSizeBytes), block)) return StatusIoError;
            at += block.Length;
        }
        return StatusOk;
    }

    private byte GetId(long room, ref uint written)
    {
        Span<byte> id = stackalloc byte[IdSizeBytes];
        id.Clear();
        for (int i = 0; i < _disk.Name.Length && i < IdSizeBytes; i++) id[i] = (byte)_disk.Name[i];
        written = (uint)Chain.Write(0, id[..(int)Math.Min(room, IdSizeBytes)]);
        return StatusOk;
    }

    /// <summary>DISCARD and WRITE ZEROES: both leave zeros, so that what a guest reads back never depends on the host.</summary>
    private byte ZeroRange()
    {
        Span<byte> range = stackalloc byte[RangeSizeBytes];
        if (Chain.ReadableBytes != HeaderSizeBytes + RangeSizeBytes) return StatusUnsupported;
        _ = Chain.Read(HeaderSizeBytes, range);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(range);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(range[8..]);
        if (count > MaximumRangeSectors || !_disk.Contains(sector, count)) return StatusIoError;
        _block.AsSpan().Clear();
        while (count > 0)
        {
            int sectors = (int)Math.Min(count, (uint)(_block.Length / Disk.SectorSizeBytes));
            if (!_disk.TryWrite(sector, _block.AsSpan(0, sectors * Disk.SectorSizeBytes))) return StatusIoError;
            sector += (uint)sectors;
            count -= (uint)sectors;
        }
        return StatusOk;
    }

    private bool IsWholeSectors(ulong sector, long length) =>
        length % Disk.SectorSizeBytes == 0 && _disk.Contains(sector, (ulong)(length / Disk.SectorSizeBytes));
}
