using System;
using System.Buffers.Binary;
using System.Linq;
using System.Text;
using Vmm.Devices;
using Xunit;

namespace IoDevices.Tests;

public sealed class FwCfgTests : IDisposable
{
    private readonly Board _board = new();
    private readonly FwCfg _fwCfg;

    public FwCfgTests()
    {
        _fwCfg = new FwCfg(_board.Ports, _board.Memory);
        _fwCfg.AddUInt16(FwCfg.CpuCount, 2);
        _fwCfg.AddUInt64(FwCfg.RamSize, 4 << 20);
        _fwCfg.AddFile("etc/e820", Enumerable.Range(1, 40).Select(i => (byte)i).ToArray());
        _fwCfg.AddFile("bootorder", Encoding.ASCII.GetBytes("/pci@i0cf8\0"));
    }

    public void Dispose() => _board.Dispose();

    private byte[] Read(ushort key, int count)
    {
        _board.Out16(0x510, key);
        return Enumerable.Range(0, count).Select(_ => _board.In8(0x511)).ToArray();
    }

    private uint Dma(uint control, uint length, ulong address)
    {
        _board.Poke(0x1000, BinaryPrimitives.ReverseEndianness(control));
        _board.Poke(0x1004, BinaryPrimitives.ReverseEndianness(length));
        _board.Poke(0x1008, BinaryPrimitives.ReverseEndianness(address));
        _board.Out32(0x514, 0);
        _board.Out32(0x518, BinaryPrimitives.ReverseEndianness(0x1000u));
        return BinaryPrimitives.ReverseEndianness(_board.Peek<uint>(0x1000));
    }

    [Fact]
    public void Seabios_detects_it()
    {
        Assert.Equal("QEMU", Encoding.ASCII.GetString(Read(FwCfg.Signature, 4)));
        Assert.Equal(3, Read(FwCfg.Id, 4)[0]);
        Assert.Equal(new byte[] { 2, 0, 0, 0 }, Read(FwCfg.CpuCount, 4)); // zeros behind the end
        Assert.Equal(new byte[4], Read(0x3FFF, 4));
        Assert.Equal(0x554D_4551u, _board.In32(0x514)); // "QEMU CFG" in big-endian order
        Assert.Equal(0x4746_4320u, _board.In32(0x518));
    }

    [Fact]
    public void Directory_lists_the_files()
    {
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32BigEndian(Read(FwCfg.FileDirectory, 4)));
        byte[] entry = Enumerable.Range(0, 64).Select(_ => _board.In8(0x511)).ToArray(); // the cursor goes on
        Assert.Equal(40u, BinaryPrimitives.ReadUInt32BigEndian(entry));
        Assert.Equal("etc/e820", Encoding.ASCII.GetString(entry, 8, 56).TrimEnd('\0'));
        ushort key = BinaryPrimitives.ReadUInt16BigEndian(entry.AsSpan(4));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (byte)i), Read(key, 40));
    }

    [Fact]
    public void Dma_selects_skips_and_reads()
    {
        Assert.Equal(0u, Dma(0x0020_0000 | 8 | 2, 8, 0x2000));
        Assert.Equal(0x0807_0605_0403_0201UL, _board.Peek<ulong>(0x2000));
        Assert.Equal(0u, Dma(4, 2, 0));
        byte[] state = Board.SaveOf(_fwCfg);
        Assert.Equal(0u, Dma(2, 1, 0x2000));
        Assert.Equal(11, _board.Peek<byte>(0x2000));
        Board.RestoreTo(_fwCfg, state);
        Assert.Equal(state, Board.SaveOf(_fwCfg));
        Assert.Equal(11, _board.In8(0x511));
        _board.Poke(0x2000, ulong.MaxValue);
        Assert.Equal(0u, Dma(0x0005_0000 | 8 | 2, 4, 0x2000));
        Assert.Equal(0xFFFF_FFFF_0000_0002UL, _board.Peek<ulong>(0x2000));
        Assert.Equal(1u, Dma(0x0005_0000 | 8 | 16, 2, 0x2000)); // nothing is writable
        Assert.Equal(1u, Dma(0x0005_0000 | 8 | 2, uint.MaxValue, 0x2000));
    }
}
