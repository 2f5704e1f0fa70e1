using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using Vmm.Buses;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// QEMU's firmware configuration device (QEMU docs/specs/fw_cfg): selector at port 0x510, data at 0x511, DMA address at 0x514 (high half) and
/// 0x518 (low half, which starts the transfer), both big-endian. Its items are fixed when the machine is built; its state is the
/// cursor. Not modelled: items that the guest may write.
/// </summary>
internal sealed class FwCfg : IPortDevice, ISnapshotted
{
    public const int SelectorPort = 0x510, DataPort = 0x511, DmaPort = 0x514;

    // Well-known items.
    public const ushort Signature = 0x00, Id = 0x01, RamSize = 0x03, CpuCount = 0x05, KernelAddress = 0x07, KernelSize = 0x08;
    public const ushort InitrdAddress = 0x0A, InitrdSize = 0x0B, BootMenu = 0x0E, MaximumCpus = 0x0F, KernelEntry = 0x10, KernelData = 0x11;
    public const ushort InitrdData = 0x12, CommandLineAddress = 0x13, CommandLineSize = 0x14, CommandLineData = 0x15;
    public const ushort SetupAddress = 0x16, SetupSize = 0x17, SetupData = 0x18, FileDirectory = 0x19;

    private const ushort FirstFile = 0x20, NothingSelected = 0xFFFF, WriteMode = 0x4000;
    private const int PortCount = 12, FileEntrySizeBytes = 64, FileNameSizeBytes = 56, DmaAccessSizeBytes = 16;
    private const uint IdTraditional = 1, IdDma = 2;
    private const uint DmaError = 1, DmaRead = 2, DmaSkip = 4, DmaSelect = 8, DmaWrite = 16;
    private const long MaximumBytesPastEnd = 16 << 20;

    private readonly PhysicalMemory _memory;
    private readonly Dictionary<ushort, ReadOnlyMemory<byte>> _items = [];
    private readonly List<(string Name, ushort Key)> _files = [];
    private readonly byte[] _zeros = new byte[PagedMemory.PageSizeBytes];
    private ushort _selected = NothingSelected;
    private uint _offset;
    private ulong _dmaAddress;

    public FwCfg(PortBus ports, PhysicalMemory memory)
    {
        ArgumentNullException.ThrowIfNull(ports);
        _memory = memory;
        ports.Map(SelectorPort, PortCount, this);
        _items[Signature] = Encoding.ASCII.GetBytes("QEMU");
        AddUInt32(Id, IdTraditional | IdDma);
        RebuildDirectory();
    }

    public string SnapshotName => "fwcfg";

    /// <summary>Sets an item. Only while the machine is built.</summary>
    public void AddItem(ushort key, ReadOnlyMemory<byte> bytes) => _items[key] = bytes;

    public void AddUInt16(ushort key, ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        AddItem(key, bytes);
    }

    public void AddUInt32(ushort key, uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        AddItem(key, bytes);
    }

    public void AddUInt64(ushort key, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        AddItem(key, bytes);
    }

    /// <summary>Adds a file ("etc/e820", "bootorder") to the directory. Only while the machine is built; a name can be added once.</summary>
    /// <param name="name">At most 55 ASCII characters.</param>
    /// <param name="bytes">Its content.</param>
    public void AddFile(string name, ReadOnlyMemory<byte> bytes)
    {
        ArgumentNullException.ThrowIfNull(name);
        Invariant.Check(name.Length is > 0 and < FileNameSizeBytes);
        foreach ((string existing, _) in _files) Invariant.Check(existing != name);
        ushort key = (ushort)(FirstFile + _files.Count);
        Invariant.Check(key < WriteMode);
        _items[key] = bytes;
        _files.Add((name, key));
        RebuildDirectory();
    }

    public uint ReadPort(PortNumber port, int sizeBytes)
    {
        if (port.Value == DataPort) return NextByte();
        if (port.Value < DmaPort) return uint.MaxValue;
        // The DMA registers read as a signature, so that a driver sees that they exist.
        ReadOnlySpan<byte> signature = "QEMU CFG"u8;
        uint value = 0;
        int at = port.Value - DmaPort;
        for (int i = 0; i < sizeBytes && at + i < signature.Length; i++) value |= (uint)signature[at + i] << (8 * i);
        return value;
    }

    public void WritePort(PortNumber port, int sizeBytes, uint value)
    {
        if (port.Value == SelectorPort && sizeBytes == 2) Select((ushort)value);
        else if (port.Value == DmaPort && sizeBytes == 4) _dmaAddress = (ulong)BinaryPrimitives.ReverseEndianness(value) << 32;
        else if (port.Value == DmaPort + 4 && sizeBytes == 4)
        {
            ulong address = _dmaAddress | BinaryPrimitives.ReverseEndianness(value);
            _dmaAddress = 0;
            Transfer(address);
        }
    }

    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("selected", (uint)_selected);
        writer.Write("offset", _offset);
        writer.Write("dmaAddress", _dmaAddress);
    }

    public void Restore(StateReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _selected = (ushort)reader.ReadUInt32("selected");
        _offset = reader.ReadUInt32("offset");
        _dmaAddress = reader.ReadUInt64("dmaAddress");
    }

    private ReadOnlySpan<byte> SelectedItem => _items.TryGetValue(_selected, out ReadOnlyMemory<byte> item) ? item.Span : default;

    private void Select(ushort key)
    {
        // Bit 14 asks for writing, which no item allows.
        _selected = (ushort)(key & ~WriteMode);
        _offset = 0;
    }

    /// <summary>The next byte of the item; zeros behind its end.</summary>
    private byte NextByte()
    {
        ReadOnlySpan<byte> item = SelectedItem;
        return _offset < (uint)item.Length ? item[(int)_offset++] : (byte)0;
    }

    /// <summary>Does what a FWCfgDmaAccess structure in guest memory asks for: control, length, address, all big-endian.</summary>
    private void Transfer(ulong access)
    {
        Span<byte> bytes = stackalloc byte[DmaAccessSizeBytes];
        _memory.Read(new GuestPhysicalAddress(access), bytes);
        uint control = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        ulong address = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        if ((control & DmaSelect) != 0) Select((ushort)(control >> 16));
        uint result = 0;
        if ((control & DmaRead) != 0) result = ReadItem(address, length) ? 0 : DmaError;
        else if ((control & DmaWrite) != 0) result = DmaError;
        else if ((control & DmaSkip) != 0) Advance(length);
        _memory.Write(new GuestPhysicalAddress(access), BinaryPrimitives.ReverseEndianness(result));
    }

    /// <summary>Copies to guest memory, zeros behind the item's end; false for a length so far past it that it cannot be meant.</summary>
    private bool ReadItem(ulong address, uint length)
    {
        ReadOnlySpan<byte> item = SelectedItem;
        int available = (int)Math.Max(0, (long)item.Length - _offset);
        int count = (int)Math.Min(length, (uint)available);
        if ((long)length - count > MaximumBytesPastEnd) return false;
        if (count > 0) _memory.Write(new GuestPhysicalAddress(address), item.Slice((int)_offset, count));
        Advance(length);
        for (uint at = (uint)count; at < length;)
        {
            int chunk = (int)Math.Min(length - at, (uint)_zeros.Length);
            _memory.Write(new GuestPhysicalAddress(address + at), _zeros.AsSpan(0, chunk));
            at += (uint)chunk;
        }
        return true;
    }

    private void Advance(uint length) => _offset = (uint)Math.Min((ulong)_offset + length, (ulong)SelectedItem.Length);

    /// <summary>The directory: a count, then size, key, reserved and name of each file, numbers big-endian.</summary>
    private void RebuildDirectory()
    {
        var directory = new byte[4 + _files.Count * FileEntrySizeBytes];
        BinaryPrimitives.WriteUInt32BigEndian(directory, (uint)_files.Count);
        for (int i = 0; i < _files.Count; i++)
        {
            Span<byte> entry = directory.AsSpan(4 + i * FileEntrySizeBytes, FileEntrySizeBytes);
            BinaryPrimitives.WriteUInt32BigEndian(entry, (uint)_items[_files[i].Key].Length);
            BinaryPrimitives.WriteUInt16BigEndian(entry[4..], _files[i].Key);
            Encoding.ASCII.GetBytes(_files[i].Name, entry[8..]);
        }
        _items[FileDirectory] = directory;
    }
}
