using System;
using System.Linq;
using System.Text;
using TestKit;
using Vmm.Devices;
using Vmm.Devices.Pci;
using Vmm.Devices.Virtio;
using Vmm.Snapshots;
using Xunit;

namespace IoDevices.Tests;

public sealed class VirtioTests : IDisposable
{
    private const ulong Header = 0x2000, Data = 0x4000, Status = 0x3000;

    private readonly Board _board = new();
    private readonly byte[] _image = Enumerable.Range(0, 64 * 512).Select(i => (byte)(i * 3 + i / 512)).ToArray();
    private readonly byte[] _imageCopy;
    private readonly Disk _disk;

    public VirtioTests()
    {
        _imageCopy = _image.ToArray();
        _disk = new Disk("disk0", _image);
    }

    public void Dispose()
    {
        Assert.Equal(_imageCopy, _image);
        _disk.Dispose();
        _board.Dispose();
    }

    private T Plug<T>(T device) where T : PciDevice
    {
        _board.Bus.Add(device, 3);
        _board.IsaBridge.Route(Board.Routes);
        _board.Bus.AssignResources(0xC000, 0xE000_0000, Board.Routes);
        return device;
    }

    private VirtioBlock PlugBlock() => Plug(new VirtioBlock("vblk0", _disk, _board.Memory, _board));

    /// <summary>Header in descriptor 0, data in 1, status in 2; returns the status byte.</summary>
    private byte Request(VirtioDriver driver, uint type, ulong sector, uint length, bool toDevice)
    {
        PutHeader(type, sector);
        driver.Describe(0, 0, Header, 16, VirtioDriver.Next, (ushort)(length == 0 ? 2 : 1));
        driver.Describe(0, 1, Data, length, (ushort)(VirtioDriver.Next | (toDevice ? 0 : VirtioDriver.Write)), 2);
        driver.Describe(0, 2, Status, 1, VirtioDriver.Write);
        driver.OfferAndNotify(0, 0);
        Assert.Equal(0u, driver.TakeUsed(0)!.Value.Id);
        return _board.Peek<byte>(Status);
    }

    private void PutHeader(uint type, ulong sector)
    {
        _board.Poke(Header, type);
        _board.Poke(Header + 4, 0u);
        _board.Poke(Header + 8, sector);
        _board.Poke(Status, (byte)0xEE);
    }

    [Fact]
    public void Ids_capabilities_and_features()
    {
        PlugBlock();
        Assert.Equal(0x1042_1AF4u, _board.ReadConfig(3, 0, 0, 4));
        Assert.True(_board.ReadConfig(3, 0, 8, 1) >= 1);
        Assert.Equal(0x10u, _board.ReadConfig(3, 0, 6, 2) & 0x10);
        var driver = new VirtioDriver(_board, 3);
        Assert.Equal(1UL, driver.Features() >> 32 & 1);
        Assert.Equal(64UL, _board.ReadMmio(driver.Config, 8));
        Assert.Equal(1UL, _board.ReadMmio(driver.Common + 18, 2));
        _board.WriteMmio(driver.Common + 22, 2, 1); // a queue that does not exist
        Assert.Equal(0UL, _board.ReadMmio(driver.Common + 24, 2));
    }

    [Fact]
    public void Features_ok_needs_version_1_and_only_what_was_offered()
    {
        PlugBlock();
        var driver = new VirtioDriver(_board, 3);
        _board.WriteMmio(driver.Common + 20, 1, 3);
        _board.WriteMmio(driver.Common + 20, 1, 11);
        Assert.Equal(3, driver.Status);
        _board.WriteMmio(driver.Common + 8, 4, 1);
        _board.WriteMmio(driver.Common + 12, 4, 3); // VERSION_1 and one that is not offered
        _board.WriteMmio(driver.Common + 20, 1, 11);
        Assert.Equal(3, driver.Status);
        _board.WriteMmio(driver.Common + 12, 4, 1);
        _board.WriteMmio(driver.Common + 20, 1, 11);
        Assert.Equal(11, driver.Status);
    }

    [Fact]
    public void Block_reads_writes_and_flushes()
    {
        PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        Assert.Equal(0, Request(driver, 0, 7, 1024, toDevice: false));
        Assert.Equal(_imageCopy.AsSpan(7 * 512, 1024).ToArray(), _board.PeekBytes(Data, 1024));
        _board.Poke(Data, 0x1122_3344_5566_7788UL);
        Assert.Equal(0, Request(driver, 1, 20, 512, toDevice: true));
        Assert.Equal(0, Request(driver, 4, 0, 0, toDevice: true));
        var sector = new byte[512];
        Assert.True(_disk.TryRead(20, sector));
        Assert.Equal(0x1122_3344_5566_7788UL, BitConverter.ToUInt64(sector));
        Assert.Equal(0, Request(driver, 8, 0, 20, toDevice: false));
        Assert.Equal("disk0", Encoding.ASCII.GetString(_board.PeekBytes(Data, 5)));
        Assert.Equal(2, Request(driver, 99, 0, 512, toDevice: false));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        _ = Request(driver, 0, 7, 4096, toDevice: false);
        Assert.Equal(0, Allocations.OfThread(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                driver.OfferAndNotify(0, 0);
                _ = driver.TakeUsed(0);
                _ = driver.TakeIsr();
            }
        }));
    }

    [Fact]
    public void Block_errors_are_statuses()
    {
        VirtioBlock block = PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        Assert.Equal(1, Request(driver, 0, 63, 1024, toDevice: false));
        Assert.Equal(1, Request(driver, 0, ulong.MaxValue, 512, toDevice: false));
        Assert.Equal(1, Request(driver, 1, 64, 512, toDevice: true));
        Assert.Equal(1, Request(driver, 0, 0, 100, toDevice: false));
        Assert.False(block.NeedsReset);
    }

    [Fact]
    public void Write_zeroes_and_discard()
    {
        PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        foreach ((uint type, ulong sector) in new[] { (13u, 8UL), (11u, 30UL) })
        {
            _board.Poke(Data, sector);
            _board.Poke(Data + 8, 12UL);
            Assert.Equal(0, Request(driver, type, 0, 16, toDevice: true));
            var content = new byte[14 * 512];
            Assert.True(_disk.TryRead(sector - 1, content));
            Assert.Equal(new byte[12 * 512], content[512..^512]);
            Assert.Equal(_imageCopy.AsSpan(((int)sector + 12) * 512, 512).ToArray(), content[^512..]);
        }
        _board.Poke(Data + 8, 64UL);
        Assert.Equal(1, Request(driver, 13, 0, 16, toDevice: true));
    }

    [Fact]
    public void Framing_does_not_matter()
    {
        PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        PutHeader(0, 3);
        driver.Describe(0, 0, Header, 5, VirtioDriver.Next, 4);
        driver.Describe(0, 4, Header + 5, 11, VirtioDriver.Next, 5);
        driver.Describe(0, 5, Data, 100, VirtioDriver.Next | VirtioDriver.Write, 6);
        driver.Describe(0, 6, Data + 100, 413, VirtioDriver.Write); // the last byte is the status
        driver.OfferAndNotify(0, 0);
        Assert.Equal((0u, 513u), driver.TakeUsed(0));
        Assert.Equal(_imageCopy.AsSpan(3 * 512, 512).ToArray(), _board.PeekBytes(Data, 512));
        Assert.Equal(0, _board.Peek<byte>(Data + 512));
    }

    [Fact]
    public void Indirect_descriptors()
    {
        VirtioBlock block = PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        PutHeader(0, 9);
        driver.DescribeAt(0x6000, Header, 16, VirtioDriver.Next, 1);
        driver.DescribeAt(0x6010, Data, 512, VirtioDriver.Next | VirtioDriver.Write, 2);
        driver.DescribeAt(0x6020, Status, 1, VirtioDriver.Write);
        driver.Describe(0, 7, 0x6000, 48, VirtioDriver.Indirect);
        driver.OfferAndNotify(0, 7);
        Assert.Equal((7u, 513u), driver.TakeUsed(0));
        Assert.Equal(_imageCopy.AsSpan(9 * 512, 512).ToArray(), _board.PeekBytes(Data, 512));
        driver.DescribeAt(0x6000, 0x6000, 48, VirtioDriver.Indirect); // an indirect one inside
        driver.OfferAndNotify(0, 7);
        Assert.True(block.NeedsReset);
    }

    [Fact]
    public void Pin_interrupt_follows_the_isr()
    {
        PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        _ = Request(driver, 4, 0, 0, toDevice: true);
        Assert.True(_board.IrqLevels[11]);
        Assert.Equal(1, driver.TakeIsr());
        Assert.False(_board.IrqLevels[11]);
        Assert.Equal(0, driver.TakeIsr());
        driver.SetNoInterrupt(0, true);
        _ = Request(driver, 4, 0, 0, toDevice: true);
        Assert.False(_board.IrqLevels[11]);
    }

    [Fact]
    public void Msix_messages_masks_and_pending_bits()
    {
        PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        driver.UseMsix(1);
        _ = Request(driver, 4, 0, 0, toDevice: true);
        Assert.Equal([(0xFEE0_1000UL, 0x41u)], _board.Messages);
        Assert.False(_board.IrqLevels[11]);
        _board.WriteMmio(driver.MsixTable + 16 + 12, 4, 1); // mask the vector
        _ = Request(driver, 4, 0, 0, toDevice: true);
        Assert.Single(_board.Messages);
        Assert.Equal(2UL, _board.ReadMmio(driver.MsixTable + 2048, 8));
        _board.WriteConfig(3, 0, driver.MsixControl, 2, 0xC000); // mask the function
        _board.WriteMmio(driver.MsixTable + 16 + 12, 4, 0);
        Assert.Single(_board.Messages);
        _board.WriteConfig(3, 0, driver.MsixControl, 2, 0x8000);
        Assert.Equal(2, _board.Messages.Count);
        Assert.Equal(0UL, _board.ReadMmio(driver.MsixTable + 2048, 8));
        _board.WriteMmio(driver.Common + 26, 2, 77); // no such vector
        Assert.Equal(0xFFFFUL, _board.ReadMmio(driver.Common + 26, 2));
    }

    [Fact]
    public void Configuration_access_capability_reaches_the_bar()
    {
        PlugBlock();
        int capability = _board.FindCapability(3, 9, at => _board.ReadConfig(3, 0, at + 3, 1) == 5);
        _board.WriteConfig(3, 0, capability + 4, 1, 0);
        _board.WriteConfig(3, 0, capability + 8, 4, 0x2000);
        _board.WriteConfig(3, 0, capability + 12, 4, 4);
        Assert.Equal(64u, _board.ReadConfig(3, 0, capability + 16, 4));
        _board.WriteConfig(3, 0, capability + 8, 4, 20);
        _board.WriteConfig(3, 0, capability + 12, 4, 1);
        _board.WriteConfig(3, 0, capability + 16, 1, 3);
        Assert.Equal(3, new VirtioDriver(_board, 3).Status);
        _board.WriteConfig(3, 0, capability + 4, 1, 9); // no such BAR: nothing happens
        _board.WriteConfig(3, 0, capability + 16, 1, 0);
        Assert.Equal(3, new VirtioDriver(_board, 3).Status);
    }

    [Theory]
    [InlineData("cycle")]
    [InlineData("next out of the table")]
    [InlineData("head out of the table")]
    [InlineData("buffer outside RAM")]
    [InlineData("buffer across the end of RAM")]
    [InlineData("buffer that wraps")]
    [InlineData("too many offered")]
    [InlineData("read after write")]
    [InlineData("huge")]
    [InlineData("no status")]
    [InlineData("short header")]
    [InlineData("indirect of odd length")]
    [InlineData("indirect cycle")]
    public void Hostile_rings_need_a_reset_and_nothing_else(string what)
    {
        VirtioBlock block = PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        PutHeader(0, 0);
        driver.Describe(0, 0, Header, 16, VirtioDriver.Next, 1);
        driver.Describe(0, 1, Data, 512, VirtioDriver.Next | VirtioDriver.Write, 2);
        driver.Describe(0, 2, Status, 1, VirtioDriver.Write);
        ushort head = 0;
        switch (what)
        {
            case "cycle": driver.Describe(0, 2, Status, 1, VirtioDriver.Write | VirtioDriver.Next, 1); break;
            case "next out of the table": driver.Describe(0, 2, Status, 1, VirtioDriver.Write | VirtioDriver.Next, 16); break;
            case "head out of the table": head = 0xFFFF; break;
            case "buffer outside RAM": driver.Describe(0, 1, 0xD000_0000, 512, VirtioDriver.Next | VirtioDriver.Write, 2); break;
            case "buffer across the end of RAM": driver.Describe(0, 1, (4 << 20) - 256, 512, VirtioDriver.Next | VirtioDriver.Write, 2); break;
            case "buffer that wraps": driver.Describe(0, 1, ulong.MaxValue - 10, 512, VirtioDriver.Next | VirtioDriver.Write, 2); break;
            case "too many offered": driver.SetAvailableIndex(0, 17); driver.Notify(0); break;
            case "read after write": driver.Describe(0, 2, Status, 1, 0); break;
            case "huge": driver.Describe(0, 1, Data, uint.MaxValue, VirtioDriver.Next | VirtioDriver.Write, 2); break;
            case "no status": driver.Describe(0, 0, Header, 16, 0); break;
            case "short header": driver.Describe(0, 0, Header, 15, VirtioDriver.Next, 1); break;
            case "indirect of odd length": driver.Describe(0, 0, 0x6000, 40, VirtioDriver.Indirect); break;
            case "indirect cycle":
                driver.DescribeAt(0x6000, Header, 16, VirtioDriver.Next, 0);
                driver.Describe(0, 0, 0x6000, 16, VirtioDriver.Indirect);
                break;
        }
        if (what != "too many offered") driver.OfferAndNotify(0, head);
        Assert.True(block.NeedsReset);
        Assert.Equal(64, driver.Status & 64);
        Assert.Equal(2, driver.TakeIsr() & 2);
        Assert.Null(driver.TakeUsed(0));
        driver.Start(1);
        Assert.False(block.NeedsReset);
        Assert.Equal(0, Request(driver, 0, 1, 512, toDevice: false));
    }

    [Fact]
    public void A_queue_outside_ram_or_of_a_bad_size_is_refused()
    {
        VirtioBlock block = PlugBlock();
        (ulong Table, uint Size)[] layouts =
        [
            (0xD000_0000, 16), (0x10_0008, 16), (0x10_0000, 24), (0x10_0000, 0), (0x10_0000, 512), (ulong.MaxValue & ~15UL, 16),
        ];
        foreach ((ulong table, uint size) in layouts)
        {
            VirtioDriver driver = new VirtioDriver(_board, 3).Start(0);
            _board.WriteMmio(driver.Common + 24, 2, size);
            _board.WriteMmio(driver.Common + 32, 8, table);
            _board.WriteMmio(driver.Common + 40, 8, 0x11_0000);
            _board.WriteMmio(driver.Common + 48, 8, 0x12_0000);
            _board.WriteMmio(driver.Common + 28, 2, 1);
            Assert.True(block.NeedsReset);
            Assert.Equal(0UL, _board.ReadMmio(driver.Common + 28, 2));
        }
    }

    [Fact]
    public void A_device_that_overwrites_its_own_ring_comes_to_an_end()
    {
        Plug(new VirtioEntropy("vrng", _board, _board.Memory, _board));
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        driver.Describe(0, 0, 0x10_1000, 64, VirtioDriver.Write); // the available ring itself
        driver.OfferAndNotify(0, 0);
        Assert.True(_board.EntropyBytes <= 64 * 256);
    }

    [Fact]
    public void Entropy_comes_from_its_source()
    {
        Plug(new VirtioEntropy("vrng", _board, _board.Memory, _board));
        Assert.Equal(0x1044_1AF4u, _board.ReadConfig(3, 0, 0, 4));
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        driver.Describe(0, 3, Data, 8, VirtioDriver.Write);
        driver.OfferAndNotify(0, 3);
        Assert.Equal((3u, 8u), driver.TakeUsed(0));
        Assert.Equal(0x4746_4544_4342_4140UL, _board.Peek<ulong>(Data));
        driver.Describe(0, 3, Data, 3 << 20, VirtioDriver.Write);
        driver.OfferAndNotify(0, 3);
        Assert.Equal((3u, 4096u), driver.TakeUsed(0));
    }

    [Fact]
    public void Console_sends_and_receives()
    {
        VirtioConsole console = Plug(new VirtioConsole("vcon", _board, _board.Memory, _board));
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(2);
        "hello"u8.ToArray().Select((b, i) => (b, i)).ToList().ForEach(x => _board.Poke(Data + (uint)x.i, x.b));
        driver.Describe(1, 0, Data, 3, VirtioDriver.Next, 1);
        driver.Describe(1, 1, Data + 3, 2, 0);
        driver.OfferAndNotify(1, 0);
        Assert.Equal("hello", Encoding.ASCII.GetString(_board.Output.ToArray()));
        Assert.Equal((0u, 0u), driver.TakeUsed(1));

        Assert.Equal(7, console.Receive("ls -la\n"u8)); // before the driver has offered a buffer
        byte[] state = Board.SaveOf(console);
        for (int round = 0; round < 2; round++)
        {
            driver.Describe(0, 0, Data, 4, VirtioDriver.Write);
            driver.Describe(0, 1, Data + 0x100, 4, VirtioDriver.Write);
            driver.Offer(0, 0);
            driver.OfferAndNotify(0, 1);
            Assert.Equal((0u, 4u), driver.TakeUsed(0));
            Assert.Equal((1u, 3u), driver.TakeUsed(0));
            Assert.Equal("ls -", Encoding.ASCII.GetString(_board.PeekBytes(Data, 4)));
            Assert.Equal("la\n", Encoding.ASCII.GetString(_board.PeekBytes(Data + 0x100, 3)));
            if (round != 0) break;
            Board.RestoreTo(console, state);
            Assert.Equal(state, Board.SaveOf(console));
            driver = new VirtioDriver(_board, 3).Start(2); // guest memory was not restored: start over with the bytes still waiting
        }
        Assert.Equal(VirtioConsole.ReceiveCapacity, console.Receive(new byte[VirtioConsole.ReceiveCapacity + 5]));
        _board.WriteMmio(driver.Config + 8, 4, '!');
        Assert.Equal((byte)'!', _board.Output[^1]);
    }

    [Fact]
    public void Balloon_inflates_deflates_and_reports()
    {
        VirtioBalloon balloon = Plug(new VirtioBalloon("vballoon", _board.Memory, _board));
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(3);
        balloon.SetTarget(2);
        Assert.True(_board.IrqLevels[11]);
        Assert.Equal(2, driver.TakeIsr());
        Assert.Equal(2UL, _board.ReadMmio(driver.Config, 4));

        _board.Poke(0x20_0008, 0x55UL);
        _board.Poke(Data, 0x200u);
        _board.Poke(Data + 4, 0x201u);
        _board.Poke(Data + 8, 0xFFFF_FFFFu); // no RAM
        driver.Describe(0, 0, Data, 12, 0);
        driver.OfferAndNotify(0, 0);
        Assert.Equal(2UL, balloon.InflatedPages);
        Assert.Equal(0UL, _board.Peek<ulong>(0x20_0008));
        _board.WriteMmio(driver.Config + 4, 4, 2);
        Assert.Equal(2u, balloon.ActualPages);
        driver.Describe(1, 0, Data, 4, 0);
        driver.OfferAndNotify(1, 0);
        Assert.Equal(1UL, balloon.InflatedPages);

        Assert.False(balloon.RequestStatistics());
        _board.Poke(Data, (ushort)4); // memory free
        _board.Poke(Data + 2, 123456UL);
        driver.Describe(2, 0, Data, 10, 0);
        driver.OfferAndNotify(2, 0);
        Assert.Null(driver.TakeUsed(2));
        Assert.Equal(123456UL, balloon.Statistics[4]);
        byte[] state = Board.SaveOf(balloon);
        Assert.True(balloon.RequestStatistics());
        Assert.NotNull(driver.TakeUsed(2));
        Board.RestoreTo(balloon, state);
        Assert.Equal(state, Board.SaveOf(balloon));
    }

    [Fact]
    public void Any_damaged_state_is_refused_or_harmless()
    {
        VirtioBlock block = PlugBlock();
        VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
        driver.UseMsix(1);
        byte[] state = Board.SaveOf(block);
        for (int at = 0; at < state.Length; at++)
        {
            byte[] damaged = state.ToArray();
            damaged[at] ^= 0xFF;
            try
            {
                block.Restore(new StateReader(damaged));
                driver.Describe(0, 0, Header, 16, VirtioDriver.Next, 1);
                driver.OfferAndNotify(0, 0);
            }
            catch (StateFormatException)
            {
                // Refused, as it should be.
            }
        }
        Board.RestoreTo(block, state);
        Assert.Equal(state, Board.SaveOf(block));
    }

    [Fact]
    public void Random_rings_never_break_the_device()
    {
        PlugBlock();
        ulong seed = 12345;
        uint Next()
        {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            return (uint)(seed >> 33);
        }
        for (int round = 0; round < 2000; round++)
        {
            VirtioDriver driver = new VirtioDriver(_board, 3).Start(1);
            for (int i = 0; i < 16; i++)
            {
                ulong address = (Next() & 3) == 0 ? (ulong)Next() << 32 | Next() : Next() % (4 << 20);
                driver.Describe(0, i, address, (Next() & 7) == 0 ? Next() : Next() % 2048, (ushort)(Next() & 7), (ushort)(Next() % 18));
            }
            for (int i = 0; i < 4; i++) driver.OfferAndNotify(0, (ushort)(Next() % 17));
        }
    }
}
