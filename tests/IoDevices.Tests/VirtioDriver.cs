using System;
using System.Collections.Generic;
using Xunit;

namespace IoDevices.Tests;

/// <summary>A driver's side of a modern virtio PCI device, in guest memory: finds the structures, negotiates, fills rings.</summary>
internal sealed class VirtioDriver
{
    public const ushort Next = 1, Write = 2, Indirect = 4;

    private readonly Board _board;
    private readonly int _device;
    private readonly ulong _notify, _rings;
    private readonly uint _notifyMultiplier;
    private readonly Dictionary<int, Ring> _ringOf = [];

    private sealed class Ring
    {
        public ushort Size, Available, Used, NotifyOff;
        public ulong Table, Driver, Device;
    }

    /// <param name="board">The machine.</param>
    /// <param name="device">PCI device number, with its BARs assigned.</param>
    /// <param name="rings">Where rings may be put, 16 KiB for each queue.</param>
    public VirtioDriver(Board board, int device, ulong rings = 0x10_0000)
    {
        _board = board;
        _device = device;
        _rings = rings;
        Common = Structure(1, out _);
        _notify = Structure(2, out int notifyCap);
        _notifyMultiplier = board.ReadConfig(device, 0, notifyCap + 16, 4);
        Isr = Structure(3, out _);
        Config = Structure(4, out _);
    }

    public ulong Common { get; }
    public ulong Isr { get; }
    public ulong Config { get; }
    public byte Status => (byte)_board.ReadMmio(Common + 20, 1);

    public ulong Features()
    {
        _board.WriteMmio(Common, 4, 0);
        ulong low = _board.ReadMmio(Common + 4, 4) & uint.MaxValue;
        _board.WriteMmio(Common, 4, 1);
        return low | _board.ReadMmio(Common + 4, 4) << 32;
    }

    /// <summary>Resets, negotiates everything that is offered and sets the queues up (virtio 1.2, 3.1.1).</summary>
    public VirtioDriver Start(int queueCount, ushort queueSize = 16)
    {
        _board.WriteMmio(Common + 20, 1, 0);
        Assert.Equal(0, Status);
        _board.WriteMmio(Common + 20, 1, 1);
        _board.WriteMmio(Common + 20, 1, 3);
        ulong features = Features();
        _board.WriteMmio(Common + 8, 4, 0);
        _board.WriteMmio(Common + 12, 4, (uint)features);
        _board.WriteMmio(Common + 8, 4, 1);
        _board.WriteMmio(Common + 12, 4, features >> 32);
        _board.WriteMmio(Common + 20, 1, 11);
        Assert.Equal(11, Status);
        for (int queue = 0; queue < queueCount; queue++) SetUp(queue, queueSize);
        _board.WriteMmio(Common + 20, 1, 15);
        return this;
    }

    public void SetUp(int queue, ushort size)
    {
        _board.WriteMmio(Common + 22, 2, (uint)queue);
        Assert.True(_board.ReadMmio(Common + 24, 2) >= size);
        ulong at = _rings + (uint)queue * 0x4000UL;
        ushort notifyOff = (ushort)_board.ReadMmio(Common + 30, 2);
        var ring = new Ring { Size = size, Table = at, Driver = at + 0x1000, Device = at + 0x2000, NotifyOff = notifyOff };
        for (uint i = 0; i < 0x3000; i += 8) _board.Poke(at + i, 0UL);
        _board.WriteMmio(Common + 24, 2, size);
        _board.WriteMmio(Common + 32, 8, ring.Table);
        _board.WriteMmio(Common + 40, 4, (uint)ring.Driver);
        _board.WriteMmio(Common + 44, 4, ring.Driver >> 32);
        _board.WriteMmio(Common + 48, 8, ring.Device);
        _board.WriteMmio(Common + 28, 2, 1);
        _ringOf[queue] = ring;
    }

    public void Describe(int queue, int index, ulong address, uint length, ushort flags, ushort next = 0) =>
        DescribeAt(_ringOf[queue].Table + (uint)index * 16UL, address, length, flags, next);

    public void DescribeAt(ulong at, ulong address, uint length, ushort flags, ushort next = 0)
    {
        _board.Poke(at, address);
        _board.Poke(at + 8, length);
        _board.Poke(at + 12, flags);
        _board.Poke(at + 14, next);
    }

    /// <summary>Puts a chain into the available ring; the device sees it when it is notified.</summary>
    public void Offer(int queue, ushort head)
    {
        Ring ring = _ringOf[queue];
        _board.Poke(ring.Driver + 4 + 2UL * (uint)(ring.Available % ring.Size), head);
        _board.Poke(ring.Driver + 2, ++ring.Available);
    }

    public void SetAvailableIndex(int queue, ushort index) => _board.Poke(_ringOf[queue].Driver + 2, index);

    public void SetNoInterrupt(int queue, bool value) => _board.Poke(_ringOf[queue].Driver, (ushort)(value ? 1 : 0));

    public void Notify(int queue) => _board.WriteMmio(_notify + _ringOf[queue].NotifyOff * _notifyMultiplier, 2, (uint)queue);

    public void OfferAndNotify(int queue, ushort head)
    {
        Offer(queue, head);
        Notify(queue);
    }

    /// <summary>The next used element, or null.</summary>
    public (uint Id, uint Length)? TakeUsed(int queue)
    {
        Ring ring = _ringOf[queue];
        if (_board.Peek<ushort>(ring.Device + 2) == ring.Used) return null;
        ulong entry = ring.Device + 4 + 8UL * (uint)(ring.Used++ % ring.Size);
        return (_board.Peek<uint>(entry), _board.Peek<uint>(entry + 4));
    }

    public byte TakeIsr() => (byte)_board.ReadMmio(Isr, 1);

    /// <summary>Switches MSI-X on: the configuration gets vector 0, queue n vector n + 1; messages carry data 0x40 + vector.</summary>
    public void UseMsix(int queueCount)
    {
        int capability = _board.FindCapability(_device, 0x11);
        uint tableWhere = _board.ReadConfig(_device, 0, capability + 4, 4);
        ulong table = BarAddress((int)(tableWhere & 7)) + (tableWhere & ~7u);
        Assert.Equal((uint)queueCount, _board.ReadConfig(_device, 0, capability + 2, 2) & 0x7FF);
        for (uint vector = 0; vector <= queueCount; vector++)
        {
            _board.WriteMmio(table + vector * 16, 4, 0xFEE0_1000);
            _board.WriteMmio(table + vector * 16 + 4, 4, 0);
            _board.WriteMmio(table + vector * 16 + 8, 4, 0x40 + vector);
            _board.WriteMmio(table + vector * 16 + 12, 4, 0);
        }
        _board.WriteConfig(_device, 0, capability + 2, 2, 0x8000);
        _board.WriteMmio(Common + 16, 2, 0);
        Assert.Equal(0u, _board.ReadMmio(Common + 16, 2));
        for (uint queue = 0; queue < queueCount; queue++)
        {
            _board.WriteMmio(Common + 22, 2, queue);
            _board.WriteMmio(Common + 26, 2, queue + 1);
            Assert.Equal(queue + 1, _board.ReadMmio(Common + 26, 2));
        }
        MsixTable = table;
        MsixControl = capability + 2;
    }

    public ulong MsixTable { get; private set; }
    public int MsixControl { get; private set; }

    private ulong Structure(int type, out int capability)
    {
        capability = _board.FindCapability(_device, 9, at => _board.ReadConfig(_device, 0, at + 3, 1) == type);
        Assert.NotEqual(0, capability);
        return BarAddress((int)_board.ReadConfig(_device, 0, capability + 4, 1)) + _board.ReadConfig(_device, 0, capability + 8, 4);
    }

    private ulong BarAddress(int bar) => _board.ReadConfig(_device, 0, 0x10 + 4 * bar, 4) & ~15u;
}
