using System.Linq;
using Vmm.Cpu;
using Xunit;

namespace Boot.Tests;

public sealed class LinuxBootTests
{
    private static readonly byte[] Code = [.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 7))];

    [Fact]
    public void Enters64BitModeWithIdentityMapAndBootParams()
    {
        byte[] initrd = [.. Enumerable.Repeat((byte)0x5A, 5000)];
        using LoadedMachine machine = LoadedMachine.Kernel(Images.BzImage(Code), initrd, "console=ttyS0 quiet");
        ref VcpuState cpu = ref machine.Cpu;

        Assert.Equal(0x100_0200ul, cpu.Rip);
        Assert.Equal(Code, machine.Bytes(0x100_0000, Code.Length));
        Assert.Equal(0x500ul, cpu.Efer);
        Assert.Equal(0x8000_0011ul, cpu.Cr0);
        Assert.Equal(0x20ul, cpu.Cr4);
        Assert.Equal(2ul, cpu.SystemFlags);
        Assert.Equal(0x10, cpu.Segment(SegmentIndex.Cs).Selector);
        Assert.True(cpu.Segment(SegmentIndex.Cs).IsLong);
        Assert.Equal(0x18, cpu.Segment(SegmentIndex.Ds).Selector);
        Assert.Equal(0x00AF_9B00_0000_FFFFul, machine.U64(cpu.GdtrBase + 0x10));
        Assert.Equal(0x00CF_9300_0000_FFFFul, machine.U64(cpu.GdtrBase + 0x18));
        foreach (ulong address in new ulong[] { 0, 0x100_0200, 0xFEE0_0000, 0xFFFF_F000 })
            Assert.Equal(address, Translate(machine, address));

        ulong zeroPage = cpu.Rsi;
        Assert.Equal(0x5372_6448u, machine.U32(zeroPage + 0x202));
        Assert.Equal(0xFF, machine.Bytes(zeroPage + 0x210, 1)[0]);
        Assert.Equal("console=ttyS0 quiet", machine.Text(machine.U32(zeroPage + 0x228)));
        Assert.Equal(machine.Tables.RsdpAddress, machine.U64(zeroPage + 0x70));
        uint initrdAddress = machine.U32(zeroPage + 0x218);
        Assert.Equal((64u << 20) - 8192, initrdAddress);
        Assert.Equal((uint)initrd.Length, machine.U32(zeroPage + 0x21C));
        Assert.Equal(initrd, machine.Bytes(initrdAddress, initrd.Length));
        Assert.Equal(4, machine.Bytes(zeroPage + 0x1E8, 1)[0]);
        Assert.Equal(0x10_0000ul, machine.U64(zeroPage + 0x2D0 + 60));
        Assert.Equal((64ul << 20) - 0x10_0000, machine.U64(zeroPage + 0x2D0 + 68));
    }

    [Fact]
    public void Enters32BitKernelsInProtectedMode()
    {
        using LoadedMachine machine = LoadedMachine.Kernel(Images.BzImage(Code, is64: false));
        Assert.Equal(0x100_0000ul, machine.Cpu.Rip);
        Assert.Equal(0x11ul, machine.Cpu.Cr0);
        Assert.Equal(0ul, machine.Cpu.Efer);
        Assert.True(machine.Cpu.Segment(SegmentIndex.Cs).IsDefault32);
        Assert.Equal(0x00CF_9B00_0000_FFFFul, machine.U64(machine.Cpu.GdtrBase + 0x10));
        Assert.Equal(0x5372_6448u, machine.U32(machine.Cpu.Rsi + 0x202));
    }

    [Fact]
    public void InitrdStaysBelowItsLimit()
    {
        using LoadedMachine machine = LoadedMachine.Kernel(Images.BzImage(Code, initrdMax: 0x27F_FFFF), new byte[4096]);
        Assert.Equal(0x27F_F000u, machine.U32(machine.Cpu.Rsi + 0x218));
    }

    [Fact]
    public void HighMemoryIsInTheMap()
    {
        using LoadedMachine machine = LoadedMachine.Kernel(Images.BzImage(Code), memoryMiB: 4096);
        ulong zeroPage = machine.Cpu.Rsi;
        Assert.Equal(5, machine.Bytes(zeroPage + 0x1E8, 1)[0]);
        Assert.Equal(0x1_0000_0000ul, machine.U64(zeroPage + 0x2D0 + 80));
        Assert.Equal(1ul << 30, machine.U64(zeroPage + 0x2D0 + 88));
    }

    [Fact]
    public void RefusesWhatCannotWork()
    {
        Assert.Contains("zImage", LoadedMachine.RefusalOf(Images.BzImage(Code, loadFlags: 0)));
        Assert.Contains("2.05", LoadedMachine.RefusalOf(Images.BzImage(Code, version: 0x0205)));
        Assert.Contains("more memory", LoadedMachine.RefusalOf(Images.BzImage(Code), memoryMiB: 8));
        Assert.Contains("more memory", LoadedMachine.RefusalOf(Images.BzImage(Code), new byte[50 << 20]));
        Assert.Contains("command line", LoadedMachine.RefusalOf(Images.BzImage(Code), commandLine: new string('x', 2048)));
        Assert.Contains("cut off", LoadedMachine.RefusalOf(Images.BzImage(Code)[..3000]));
    }

    private static ulong Translate(LoadedMachine machine, ulong linear)
    {
        ulong table = machine.Cpu.Cr3;
        for (int shift = 39; shift >= 21; shift -= 9)
        {
            ulong entry = machine.U64(table + ((linear >> shift) & 511) * 8);
            Assert.Equal(3ul, entry & 3);
            table = entry & 0xF_FFFF_FFFF_F000;
            if (shift == 21) return (entry & 0xF_FFFF_FFE0_0000) | (linear & 0x1F_FFFF);
        }
        throw new Vmm.InvariantException("unreachable");
    }
}
