using System;
using System.Collections.Generic;
using System.Text;
using Xunit;
using static Boot.Tests.Images;

namespace Boot.Tests;

public sealed class Multiboot2Tests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ElfKernelGetsItsInformation(bool is64)
    {
        byte[] header = Multiboot2((1, 0, [1, 4, 6]), (5, 1, [80, 25, 0]), (99, 1, []));
        byte[] kernel = Elf(is64, [.. header, .. new byte[64]], virtualBase: 0xC000_0000 - LoadAddress);
        using LoadedMachine machine = LoadedMachine.Kernel(kernel, new byte[5000], "a=b c");
        Assert.Equal(0x36D7_6289ul, machine.Cpu.Rax);
        Assert.Equal((ulong)LoadAddress, machine.Cpu.Rip);
        Assert.Equal(0x11ul, machine.Cpu.Cr0);
        Assert.Equal(0ul, machine.Cpu.Rbx % 8);

        Dictionary<uint, byte[]> tags = Tags(machine);
        Assert.Equal("a=b c\0", Encoding.ASCII.GetString(tags[1]));
        Assert.Equal("ttvm\0", Encoding.ASCII.GetString(tags[2]));
        uint start = BitConverter.ToUInt32(tags[3]), end = BitConverter.ToUInt32(tags[3], 4);
        Assert.Equal((LoadAddress + 0x1000, 5000u), (start, end - start));
        Assert.Equal("initrd\0", Encoding.ASCII.GetString(tags[3], 8, 7));
        Assert.Equal((639u, 63u << 10), (BitConverter.ToUInt32(tags[4]), BitConverter.ToUInt32(tags[4], 4)));
        Assert.Equal((24u, 8 + 4 * 24), (BitConverter.ToUInt32(tags[6]), tags[6].Length));
        Assert.Equal(0x9_FC00ul, BitConverter.ToUInt64(tags[6], 16));
        Assert.Equal(machine.Bytes(machine.Tables.RsdpAddress, 20), tags[14]);
        Assert.Equal(machine.Bytes(machine.Tables.RsdpAddress, 36), tags[15]);
    }

    [Fact]
    public void AddressAndEntryTags()
    {
        byte[] header = Multiboot2((2, 0, [LoadAddress + 16, LoadAddress, 0, LoadAddress + 0x10_0000]), (3, 0, [LoadAddress + 0x80]));
        byte[] kernel = [.. new byte[16], .. header, .. new byte[500]];
        using LoadedMachine machine = LoadedMachine.Kernel(kernel);
        Assert.Equal((ulong)LoadAddress + 0x80, machine.Cpu.Rip);
        Assert.Equal(kernel, machine.Bytes(LoadAddress, kernel.Length));
    }

    [Theory]
    [InlineData(0x10_0000u, 0x300_0000u, LoadAddress)]
    [InlineData(0x100_1000u, 0x300_0000u, 0x101_0000u)]
    public void RelocatableKernelGoesWhereItMay(uint minimum, uint maximum, uint expected)
    {
        byte[] content = [.. Multiboot2((10, 0, [minimum, maximum, 0x1_0000, 0])), .. new byte[500]];
        using LoadedMachine machine = LoadedMachine.Kernel(Elf(false, content));
        Assert.Equal((ulong)expected, machine.Cpu.Rip);
        Assert.Equal(content, machine.Bytes(expected, content.Length));
        Assert.Equal(expected, BitConverter.ToUInt32(Tags(machine)[21]));
    }

    [Fact]
    public void RefusesWhatItCannotGive()
    {
        Assert.Contains("tag 77", LoadedMachine.RefusalOf(Elf(false, Multiboot2((77, 0, [])))));
        Assert.Contains("type 500", LoadedMachine.RefusalOf(Elf(false, Multiboot2((1, 0, [500])))));
        Assert.Contains("more memory", LoadedMachine.RefusalOf(Elf(false, Multiboot2((10, 0, [0x1000_0000, 0x2000_0000, 4096, 0])))));
        Assert.Contains("entry", LoadedMachine.RefusalOf([.. Multiboot2((2, 0, [LoadAddress, LoadAddress, 0, 0])), .. new byte[64]]));
        byte[] mips = Elf(false, Multiboot2());
        Put32(mips, 0x104, 4);
        Put32(mips, 0x10C, unchecked(0u - 0xE852_50D6u - 4 - 24));
        Assert.Contains("another processor", LoadedMachine.RefusalOf(mips));
    }

    private static Dictionary<uint, byte[]> Tags(LoadedMachine machine)
    {
        ulong info = machine.Cpu.Rbx, end = info + machine.U32(info);
        var tags = new Dictionary<uint, byte[]>();
        for (ulong at = info + 8; at < end;)
        {
            uint type = machine.U32(at), size = machine.U32(at + 4);
            tags.Add(type, machine.Bytes(at + 8, (int)size - 8));
            at = at + size + 7 & ~7ul;
        }
        Assert.Empty(tags[0]);
        return tags;
    }
}
