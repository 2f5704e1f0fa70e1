using System;
using System.Linq;
using System.Text;
using TestKit;
using Vmm.Buses;
using Vmm.Devices;
using Vmm.Devices.Ata;
using Vmm.Memory;
using Vmm.Snapshots;
using Xunit;

namespace IoDevices.Tests;

public sealed class AtaTests : IDisposable
{
    private const int SectorCount = 2000;

    private readonly Board _board = new();
    private readonly byte[] _image = new byte[SectorCount * 512];
    private readonly byte[] _imageCopy;
    private readonly Disk _disk;
    private readonly AtaChannel _channel, _secondary;
    private readonly Piix3Ide _ide;

    public AtaTests()
    {
        for (int i = 0; i < _image.Length; i++) _image[i] = (byte)(i / 512 * 7 + i);
        _imageCopy = _image.ToArray();
        _disk = new Disk("disk0", _image);
        _channel = new AtaChannel("ata0", _board.Ports, AtaChannel.PrimaryCommandBlock, AtaChannel.PrimaryControl,
            new IrqLine(_board, AtaChannel.PrimaryIrq), _disk, null, hasDma: true);
        _secondary = new AtaChannel("ata1", _board.Ports, AtaChannel.SecondaryCommandBlock, AtaChannel.SecondaryControl,
            new IrqLine(_board, AtaChannel.SecondaryIrq), null, null, hasDma: true);
        _ide = new Piix3Ide(_board.Memory, _channel, _secondary);
        _board.Bus.Add(_ide, 1, 1);
    }

    public void Dispose()
    {
        Assert.Equal(_imageCopy, _image); // whatever a test writes, the image keeps its bytes
        _disk.Dispose();
        _board.Dispose();
    }

    private byte[] Sector(int number, int count = 1) => _imageCopy.AsSpan(number * 512, count * 512).ToArray();

    private byte[] InSectors(int count)
    {
        var bytes = new byte[count * 512];
        for (int i = 0; i < bytes.Length; i += 2) BitConverter.TryWriteBytes(bytes.AsSpan(i), _board.In16(0x1F0));
        return bytes;
    }

    private void OutBytes(byte[] bytes)
    {
        for (int i = 0; i < bytes.Length; i += 4) _board.Out32(0x1F0, BitConverter.ToUInt32(bytes, i));
    }

    private void Command(byte code, uint lba, byte count, byte device = 0xE0)
    {
        _board.Out8(0x1F2, count);
        _board.Out8(0x1F3, lba);
        _board.Out8(0x1F4, lba >> 8);
        _board.Out8(0x1F5, lba >> 16);
        _board.Out8(0x1F6, device | lba >> 24);
        _board.Out8(0x1F7, code);
    }

    private void CommandExt(byte code, ulong lba, ushort count)
    {
        _board.Out8(0x1F2, (uint)count >> 8);
        _board.Out8(0x1F3, (uint)(lba >> 24));
        _board.Out8(0x1F4, (uint)(lba >> 32));
        _board.Out8(0x1F5, (uint)(lba >> 40));
        Command(code, (uint)lba & 0xFF_FFFF, (byte)count, 0x40);
    }

    private bool TakeInterrupt()
    {
        bool pending = _board.IrqLevels[14];
        _ = _board.In8(0x1F7);
        Assert.False(_board.IrqLevels[14]);
        return pending;
    }

    [Fact]
    public void Xv6_driver_reads_and_writes()
    {
        // ideinit: wait, then look for disk 1, which is not there.
        Assert.Equal(0x40, _board.In8(0x1F7) & 0xC0);
        _board.Out8(0x1F6, 0xE0 | 1 << 4);
        Assert.Equal(0, _board.In8(0x1F7));
        _board.Out8(0x1F6, 0xE0);

        // iderw, reading: one interrupt, then the data by insl.
        _board.Out8(0x3F6, 0);
        Command(0x20, 5, 1);
        Assert.True(_board.IrqLevels[14]);
        Assert.Equal(0, _board.In8(0x1F7) & 0x21);
        var bytes = new byte[512];
        for (int i = 0; i < 512; i += 4) BitConverter.TryWriteBytes(bytes.AsSpan(i), _board.In32(0x1F0));
        Assert.Equal(Sector(5), bytes);
        Assert.False(_board.IrqLevels[14]);

        // Writing: no interrupt for the data, one when it is done.
        byte[] written = Sector(9).Reverse().ToArray();
        Command(0x30, 6, 1);
        Assert.False(_board.IrqLevels[14]);
        Assert.Equal(0x08, _board.In8(0x1F7) & 0x88);
        OutBytes(written);
        Assert.True(TakeInterrupt());
        Command(0x20, 6, 1);
        Assert.Equal(written, InSectors(1));
    }

    [Fact]
    public void Seabios_finds_the_disk()
    {
        // Presence by scratch registers, soft reset, then IDENTIFY with interrupts off.
        _board.Out8(0x1F6, 0xA0);
        _board.Out8(0x1F2, 0x55);
        _board.Out8(0x1F3, 0xAA);
        Assert.Equal((0x55, 0xAA, 0xA0), (_board.In8(0x1F2), _board.In8(0x1F3), _board.In8(0x1F6)));
        _board.Out8(0x3F6, 0x0E);
        Assert.Equal(0x80, _board.In8(0x1F7));
        _board.Out8(0x3F6, 0x0A);
        Assert.Equal(0x50, _board.In8(0x1F7));
        Assert.Equal((1, 1, 1, 0, 0), (_board.In8(0x1F1), _board.In8(0x1F2), _board.In8(0x1F3), _board.In8(0x1F4), _board.In8(0x1F5)));

        _board.Out8(0x1F7, 0xEC);
        Assert.False(_board.IrqLevels[14]); // nIEN
        Assert.Equal(0x58, _board.In8(0x3F6));
        byte[] identify = InSectors(1);
        Assert.Equal(0x50, _board.In8(0x3F6));
        Assert.Equal(SectorCount, BitConverter.ToInt32(identify, 120));
        Assert.Equal(SectorCount, BitConverter.ToInt64(identify, 200));
        Assert.Equal(0x0200, BitConverter.ToUInt16(identify, 98) & 0x0200);
        Assert.Equal(0x4000, BitConverter.ToUInt16(identify, 166) & 0xC000);
        Assert.Equal("TTVM HARDDISK", Encoding.ASCII.GetString(Enumerable.Range(54, 40).Select(i => identify[i ^ 1]).ToArray()).Trim());
        Assert.Equal(0, identify.Aggregate(0, (sum, b) => sum + b) & 0xFF);
        Assert.Equal(1, BitConverter.ToUInt16(identify, 2)); // 2000 / (16 * 63) cylinders
    }

    [Fact]
    public void An_empty_channel_reads_zero_and_does_not_latch()
    {
        _board.Out8(0x172, 0x55);
        Assert.Equal(0, _board.In8(0x172));
        Assert.Equal(0, _board.In8(0x177));
        _board.Out8(0x177, 0xEC);
        Assert.False(_board.IrqLevels[15]);
    }

    [Fact]
    public void Identify_packet_device_aborts()
    {
        _board.Out8(0x1F7, 0xA1);
        Assert.Equal(0x51, _board.In8(0x1F7));
        Assert.Equal(0x04, _board.In8(0x1F1));
        foreach (byte code in new byte[] { 0x00, 0x08, 0xB0, 0xDA })
        {
            _board.Out8(0x1F7, code);
            Assert.Equal((0x51, 0x04), (_board.In8(0x1F7), _board.In8(0x1F1)));
        }
    }

    [Fact]
    public void Several_sectors_interrupt_once_each()
    {
        Command(0x20, 100, 3);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(TakeInterrupt());
            Assert.Equal(Sector(100 + i), InSectors(1));
        }
        Assert.False(TakeInterrupt());
        Assert.Equal(0x50, _board.In8(0x1F7));
        Assert.Equal(102, _board.In8(0x1F3)); // the last sector's address
    }

    [Fact]
    public void Multiple_transfers_interrupt_once_per_block()
    {
        Command(0xC4, 0, 4);
        Assert.Equal(0x04, _board.In8(0x1F1)); // before SET MULTIPLE MODE
        Command(0xC6, 0, 8);
        Assert.True(TakeInterrupt());
        Command(0xC4, 40, 20);
        foreach ((int first, int count) in new[] { (40, 8), (48, 8), (56, 4) })
        {
            Assert.True(TakeInterrupt());
            Assert.Equal(Sector(first, count), InSectors(count));
        }
        Assert.False(TakeInterrupt());

        byte[] data = Sector(200, 12);
        Command(0xC5, 40, 12);
        Assert.False(_board.IrqLevels[14]);
        OutBytes(data[..4096]);
        Assert.True(TakeInterrupt());
        OutBytes(data[4096..]);
        Assert.True(TakeInterrupt());
        Assert.Equal(0x50, _board.In8(0x1F7));
        var content = new byte[12 * 512];
        Assert.True(_disk.TryRead(40, content));
        Assert.Equal(data, content);
        Command(0xC6, 0, 3);
        Assert.Equal(0x04, _board.In8(0x1F1));
    }

    [Fact]
    public void Addresses_of_48_bits()
    {
        CommandExt(0x24, 1999, 1);
        Assert.Equal(Sector(1999), InSectors(1));
        CommandExt(0x24, 0x12_3456_789A, 1);
        Assert.Equal((0x51, 0x10), (_board.In8(0x1F7), _board.In8(0x1F1)));
        Assert.Equal((0x9A, 0x78, 0x56), (_board.In8(0x1F3), _board.In8(0x1F4), _board.In8(0x1F5)));
        _board.Out8(0x3F6, 0x80); // HOB
        Assert.Equal((0x34, 0x12, 0x00), (_board.In8(0x1F3), _board.In8(0x1F4), _board.In8(0x1F5)));
        _board.Out8(0x1F7, 0x27); // native max address
        _board.Out8(0x3F6, 0);
        Assert.Equal(1999 & 0xFF, _board.In8(0x1F3));
        Assert.Equal(1999 >> 8, _board.In8(0x1F4));
    }

    [Fact]
    public void Reading_past_the_end_is_an_error_at_the_first_missing_sector()
    {
        Command(0x20, 1998, 4);
        Assert.True(_board.IrqLevels[14]);
        Assert.Equal((0x51, 0x10), (_board.In8(0x1F7), _board.In8(0x1F1)));
        Assert.Equal(2000, _board.In8(0x1F3) | _board.In8(0x1F4) << 8);
        Assert.Equal(0xFFFF, _board.In16(0x1F0));
        Command(0x40, 0, 0); // verify 256
        Assert.Equal(0x50, _board.In8(0x1F7));
    }

    [Fact]
    public void Cylinder_head_sector_addresses()
    {
        Command(0x91, 0, 63, 0xA0 | 15);
        // Cylinder 0, head 2, sector 5.
        Command(0x20, 5, 1, 0xA0 | 2);
        Assert.Equal(Sector(2 * 63 + 4), InSectors(1));
        Command(0x20, 0, 1, 0xA0); // sector 0 does not exist
        Assert.Equal(0x10, _board.In8(0x1F1));
    }

    [Fact]
    public void Interrupt_disable_holds_the_line_back()
    {
        _board.Out8(0x3F6, 2);
        _board.Out8(0x1F7, 0xE7);
        Assert.False(_board.IrqLevels[14]);
        _ = _board.In8(0x3F6);
        _board.Out8(0x3F6, 0);
        Assert.True(_board.IrqLevels[14]);
        _board.Out8(0x1F6, 0xF0); // the other device has nothing pending
        Assert.False(_board.IrqLevels[14]);
        _board.Out8(0x1F6, 0xE0);
        Assert.True(TakeInterrupt());
    }

    [Fact]
    public void Diagnostic_gives_the_signature_and_an_interrupt()
    {
        _board.Out8(0x1F6, 0xF0);
        _board.Out8(0x1F7, 0x90);
        Assert.True(_board.IrqLevels[14]);
        Assert.Equal((1, 0, 0xA0), (_board.In8(0x1F1), _board.In8(0x1F4), _board.In8(0x1F6)));
    }

    [Fact]
    public void Transfer_modes()
    {
        _board.Out8(0x1F1, 3);
        Command(0xEF, 0, 0x45);
        Assert.Equal(0x50, _board.In8(0x1F7));
        _board.Out8(0x1F7, 0xEC);
        byte[] identify = InSectors(1);
        Assert.Equal(0x203F, BitConverter.ToUInt16(identify, 176));
        _board.Out8(0x1F1, 3);
        Command(0xEF, 0, 0x47);
        Assert.Equal(0x51, _board.In8(0x1F7));
    }

    [Fact]
    public void Saving_in_the_middle_of_a_transfer()
    {
        Command(0xC6, 0, 4);
        Command(0xC4, 40, 8);
        for (int i = 0; i < 100; i++) _ = _board.In16(0x1F0);
        byte[] state = Board.SaveOf(_channel);
        byte[] rest = InSectors(1);
        Command(0x30, 3, 1);
        Board.RestoreTo(_channel, state);
        Assert.Equal(state, Board.SaveOf(_channel));
        Assert.Equal(rest, InSectors(1));

        Command(0x30, 77, 1);
        OutBytes(new byte[200]);
        state = Board.SaveOf(_channel);
        _board.Out8(0x3F6, 4);
        Board.RestoreTo(_channel, state);
        OutBytes(new byte[312]);
        Assert.True(_board.IrqLevels[14]);
        var sector = new byte[512];
        Assert.True(_disk.TryRead(77, sector));
        Assert.Equal(new byte[512], sector);
    }

    [Fact]
    public void The_interrupt_line_returns_with_the_state()
    {
        _board.Out8(0x1F7, 0xE7);
        byte[] state = Board.SaveOf(_channel);
        Assert.True(TakeInterrupt());
        Board.RestoreTo(_channel, state);
        Assert.False(_board.IrqLevels[14]); // the controller restores its own input
        _board.IrqLevels[14] = true;
        Assert.True(TakeInterrupt());
    }

    [Fact]
    public void Any_damaged_state_is_refused_or_harmless()
    {
        Command(0x30, 77, 2);
        OutBytes(new byte[200]);
        byte[] state = Board.SaveOf(_channel);
        for (int at = 0; at < state.Length; at++)
        {
            byte[] damaged = state.ToArray();
            damaged[at] ^= 0xFF;
            try
            {
                _channel.Restore(new StateReader(damaged));
                for (int i = 0; i < 600; i++) _board.Out16(0x1F0, 0);
                for (int i = 0; i < 600; i++) _ = _board.In16(0x1F0);
                _board.Out8(0x1F7, 0x20);
                _board.Out8(0x1F7, 0xEC);
            }
            catch (StateFormatException)
            {
                // Refused, as it should be.
            }
        }
    }

    [Fact]
    public void Bus_master_reads_and_writes()
    {
        _board.WriteConfig(1, 1, 0x20, 4, 0xC000);
        _board.WriteConfig(1, 1, 4, 2, 5);
        // Two pieces, the first of 300 bytes: a descriptor table at 0x1000.
        _board.Poke(0x1000, 0x0000_0000_0000_2000UL | 300UL << 32);
        _board.Poke(0x1008, 0x0000_0000_0000_8000UL | (1024UL - 300) << 32 | 1UL << 63);
        _board.Out32(0xC004, 0x1000);
        _board.Out8(0xC002, 0x66);
        _board.Out8(0xC000, 8);
        Command(0xC8, 30, 2);
        Assert.False(_board.IrqLevels[14]);
        _board.Out8(0xC000, 9);
        Assert.True(_board.IrqLevels[14]);
        Assert.Equal(0x64, _board.In8(0xC002));
        Assert.Equal(Sector(30, 2), _board.PeekBytes(0x2000, 300).Concat(_board.PeekBytes(0x8000, 724)).ToArray());
        _board.Out8(0xC000, 0);
        _board.Out8(0xC002, 0x66);
        Assert.Equal(0x60, _board.In8(0xC002));
        Assert.True(TakeInterrupt());

        CommandExt(0x35, 40, 2);
        _board.Out8(0xC000, 1);
        Assert.True(TakeInterrupt());
        var content = new byte[1024];
        Assert.True(_disk.TryRead(40, content));
        Assert.Equal(Sector(30, 2), content);
        byte[] state = Board.SaveOf(_ide);
        _board.Out8(0xC000, 0);
        _board.Out8(0xC002, 6);
        Board.RestoreTo(_ide, state);
        Assert.Equal(state, Board.SaveOf(_ide));
    }

    [Fact]
    public void A_bus_master_interrupt_that_was_acknowledged_stays_away()
    {
        _board.WriteConfig(1, 1, 0x20, 4, 0xC000);
        _board.WriteConfig(1, 1, 4, 2, 5);
        _board.Out8(0x1F7, 0xE7);
        Assert.Equal(4, _board.In8(0xC002));
        _board.Out8(0xC002, 4);
        _board.Out8(0x1F6, 0xE0); // INTRQ is still high, but did not rise again
        Assert.Equal(0, _board.In8(0xC002));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        Transfers(); // fetches pages
        Assert.Equal(0, Allocations.OfThread(() =>
        {
            for (int i = 0; i < 20; i++) Transfers();
        }));

        void Transfers()
        {
            Command(0x20, 100, 2);
            for (int i = 0; i < 512; i++) _ = _board.In16(0x1F0);
            _ = TakeInterrupt();
            Command(0x30, 100, 1);
            for (int i = 0; i < 256; i++) _board.Out16(0x1F0, 0x1234);
            _ = TakeInterrupt();
        }
    }

    [Fact]
    public void A_bus_master_table_that_never_ends_stops()
    {
        _board.WriteConfig(1, 1, 0x20, 4, 0xC000);
        _board.WriteConfig(1, 1, 4, 2, 5);
        _board.Out32(0xC004, 0xFFFF_FFF0); // no RAM: descriptors of all ones
        Command(0xC8, 0, 0);
        _board.Out8(0xC000, 9);
        _board.Poke(0x1000, 0x2000UL | 2UL << 32 | 1UL << 63); // a table of two bytes
        _board.Out8(0xC000, 0);
        _board.Out32(0xC004, 0x1000);
        Command(0xC8, 0, 1);
        _board.Out8(0xC000, 9);
        Assert.False(_board.IrqLevels[14]);
        Assert.Equal(0, _board.In8(0xC002) & 1);
    }

    [Fact]
    public void Disk_limits()
    {
        Assert.Throws<DiskImageException>(() => new Disk("disk1", ReadOnlyMemory<byte>.Empty));
        using var odd = new Disk("disk1", new byte[] { 1, 2, 3 });
        Assert.Equal(1, odd.SectorCount);
        var sector = new byte[512];
        Assert.True(odd.TryRead(0, sector));
        Assert.Equal(new byte[] { 1, 2, 3, 0 }, sector[..4]);
        Assert.False(odd.TryRead(1, sector));
        Assert.False(odd.Contains(ulong.MaxValue, 2));
        Assert.False(odd.TryWrite(ulong.MaxValue, sector));
        Assert.Equal(PageTraits.None, odd.Pages.TraitsOf(0) & PageTraits.Dirty);
        Assert.True(odd.TryWrite(0, new byte[512]));
        Assert.NotEqual(PageTraits.None, odd.Pages.TraitsOf(0) & PageTraits.Dirty);
    }
}
