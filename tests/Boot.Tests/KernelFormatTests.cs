using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using Vmm.Cpu;
using Vmm.Platform;
using Xunit;
using static Boot.Tests.Images;

namespace Boot.Tests;

public sealed class KernelFormatTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MultibootElf(bool is64)
    {
        byte[] content = [.. Multiboot(), .. new byte[100]];
        byte[] kernel = Elf(is64, content, virtualBase: 0x4000_0000, entry: 0x4000_0000 + LoadAddress + 12);
        using LoadedMachine machine = LoadedMachine.Kernel(kernel, new byte[3000], "one two");
        ref VcpuState cpu = ref machine.Cpu;
        Assert.Equal(0x2BAD_B002ul, cpu.Rax);
        Assert.Equal((ulong)LoadAddress + 12, cpu.Rip);
        Assert.Equal(0x11ul, cpu.Cr0);
        Assert.True(cpu.Segment(SegmentIndex.Cs).IsDefault32);
        Assert.Equal(uint.MaxValue, cpu.Segment(SegmentIndex.Ss).Limit);
        Assert.Equal(content, machine.Bytes(LoadAddress, content.Length));

        ulong info = cpu.Rbx;
        Assert.Equal(0x124Du, machine.U32(info) & ~(1u << 5));
        Assert.Equal(639u, machine.U32(info + 4));
        Assert.Equal(63u << 10, machine.U32(info + 8));
        Assert.Equal("kernel one two", machine.Text(machine.U32(info + 16)));
        Assert.Equal(1u, machine.U32(info + 20));
        uint module = machine.U32(info + 24);
        Assert.Equal(LoadAddress + 0x1000, machine.U32(module));
        Assert.Equal(3000u, machine.U32(module + 4) - machine.U32(module));
        Assert.Equal("initrd", machine.Text(machine.U32(module + 8)));
        Assert.Equal("ttvm", machine.Text(machine.U32(info + 64)));
        Assert.Equal(4u * 24, machine.U32(info + 44));
        uint map = machine.U32(info + 48);
        Assert.Equal(20u, machine.U32(map));
        Assert.Equal(0x9_FC00ul, machine.U64(map + 12));
        Assert.Equal(1u, machine.U32(map + 20));
    }

    [Fact]
    public void MultibootWithAddressesInTheHeader()
    {
        byte[] header = Multiboot(0, LoadAddress + 32, LoadAddress, LoadAddress + 100, LoadAddress + 0x5000, LoadAddress + 64);
        byte[] file = [.. new byte[64], .. header, .. new byte[200]];
        file[32] = 0xAB;
        using LoadedMachine machine = LoadedMachine.Kernel(file);
        Assert.Equal((ulong)LoadAddress + 64, machine.Cpu.Rip);
        Assert.Equal(0xAB, machine.Bytes(LoadAddress, 1)[0]);
        Assert.Equal(0x1BAD_B002u, machine.U32(LoadAddress + 32));
    }

    [Fact]
    public void PvhKernel()
    {
        byte[] content = new byte[256];
        byte[] note = [.. new byte[] { 4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 }, .. "GNU\0abcd"u8, .. PvhNote(LoadAddress + 0x40)];
        byte[] kernel = Elf(true, content, note, virtualBase: 0xFFFF_FFFF_8000_0000);
        using LoadedMachine machine = LoadedMachine.Kernel(kernel, new byte[100], "root=/dev/x");
        Assert.Equal((ulong)LoadAddress + 0x40, machine.Cpu.Rip);
        Assert.Equal(0x11ul, machine.Cpu.Cr0);
        ulong info = machine.Cpu.Rbx;
        Assert.Equal(0x336E_C578u, machine.U32(info));
        Assert.Equal(1u, machine.U32(info + 12));
        Assert.Equal(100ul, machine.U64(machine.U64(info + 16) + 8));
        Assert.Equal("root=/dev/x", machine.Text(machine.U64(info + 24)));
        Assert.Equal("RSD PTR ", System.Text.Encoding.ASCII.GetString(machine.Bytes(machine.U64(info + 32), 8)));
        Assert.Equal(4u, machine.U32(info + 48));
        Assert.Equal(0x9_FC00ul, machine.U64(machine.U64(info + 40) + 8));
    }

    [Fact]
    public void PlainElf()
    {
        using LoadedMachine machine32 = LoadedMachine.Kernel(Elf(false, new byte[64]));
        Assert.Equal((ulong)LoadAddress, machine32.Cpu.Rip);
        Assert.Equal(0x11ul, machine32.Cpu.Cr0);
        using LoadedMachine machine64 = LoadedMachine.Kernel(Elf(true, new byte[64]));
        Assert.Equal((ulong)LoadAddress, machine64.Cpu.Rip);
        Assert.Equal(0x500ul, machine64.Cpu.Efer);
        Assert.Equal(0ul, machine64.Cpu.Rdi | machine64.Cpu.Rsi);
        Assert.True(machine64.Cpu.Rsp is > 0x1000 and < 0xA_0000);
    }

    [Fact]
    public void GzippedKernelIsUnpacked()
    {
        byte[] packed = Gzip(Elf(false, [.. Multiboot(), .. new byte[100]]));
        using LoadedMachine machine = LoadedMachine.Kernel(packed);
        Assert.Equal(0x2BAD_B002ul, machine.Cpu.Rax);
        byte[] damaged = (byte[])packed.Clone();
        damaged[^20] ^= 0xFF;
        damaged[12] ^= 0xFF;
        Assert.Contains("gzip", LoadedMachine.RefusalOf(damaged));
        byte[] large = Gzip(Elf(false, [.. Multiboot(), .. System.Security.Cryptography.SHA512.HashData(packed), .. packed]));
        for (int cut = 1; cut < large.Length - 10; cut += 7) Assert.Contains("cut off", LoadedMachine.RefusalOf(large[..^cut]));
        Assert.Contains("more memory", LoadedMachine.RefusalOf(Gzip(new byte[3 << 20]), memoryMiB: 2));
    }

    public static TheoryData<string, byte[], string> Refusals() => new()
    {
        { "arm", Elf(false, new byte[64], machine: 40), "ARM" },
        { "aarch64", Elf(true, new byte[64], machine: 183), "AArch64" },
        { "i386 in 64", Elf(true, new byte[64], machine: 3), "i386" },
        { "big-endian", Patched(Elf(false, new byte[64]), 5, 2), "big-endian" },
        { "object", Patched(Elf(true, new byte[64]), 16, 1), "executable" },
        { "class", Patched(Elf(true, new byte[64]), 4, 9), "damaged" },
        { "too big", Elf(true, new byte[64], memorySize: 100 << 20), "more memory" },
        { "low", Elf(true, new byte[64], physical: 0x9_F000, memorySize: 0x1000), "lies on" },
        { "wraps", Elf(true, new byte[64], memorySize: ulong.MaxValue), "more memory" },
        { "file larger than memory", Patched(Elf(true, new byte[64]), 64 + 32, 0xFF), "damaged" },
        { "feature", Elf(false, [.. Multiboot(3 | 1 << 5), .. new byte[100]]), "features" },
        { "no addresses", [.. Multiboot(), .. new byte[2000]], "not an ELF file" },
        { "arm64 image", Patched(new byte[4096], 0x38, (byte)'A', (byte)'R', (byte)'M', (byte)'d'), "AArch64" },
        { "efi", Patched(new byte[4096], 0, (byte)'M', (byte)'Z'), "EFI" },
        { "disk", Patched(new byte[4096], 510, 0x55, 0xAA), "disk" },
        { "empty", [], "empty" },
        { "text", [.. new byte[5000]], "no kernel" },
    };

    [Theory]
    [MemberData(nameof(Refusals), DisableDiscoveryEnumeration = true)]
    public void RefusesInOneSentence(string name, byte[] kernel, string expected)
    {
        string message = LoadedMachine.RefusalOf(kernel);
        Assert.True(message.Contains(expected, System.StringComparison.Ordinal), $"{name}: {message}");
        Assert.EndsWith(".", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void SaysWhatIsMissing()
    {
        Assert.Contains("no kernel", Assert.Throws<BootImageException>(() => new LoadedMachine(new MachineConfiguration())).Message);
        Assert.Contains("initrd", LoadedMachine.RefusalOf(Elf(true, new byte[64]), new byte[64]));
        List<MachineImage> small = [new("bios", "tiny.bin", new byte[1000])];
        var noBios = new MachineConfiguration { Boot = BootKind.Bios };
        Assert.Contains("tiny.bin", Assert.Throws<BootImageException>(() => new LoadedMachine(noBios with { Images = small })).Message);
        Assert.Contains("BIOS", Assert.Throws<BootImageException>(() => new LoadedMachine(noBios)).Message);
    }

    [Fact]
    public void BiosRomIsAtTheTopAndBelowOneMebibyte()
    {
        byte[] rom = new byte[256 << 10];
        for (int i = 0; i < rom.Length; i++) rom[i] = (byte)(i >> 9 ^ i);
        using var machine = new LoadedMachine(new MachineConfiguration
        {
            Boot = BootKind.Bios, Images = [new("bios", "bios.bin", rom)], MemorySizeBytes = 16 << 20,
        });
        Assert.Equal(rom, machine.Bytes(0x1_0000_0000 - (ulong)rom.Length, rom.Length));
        Assert.Equal(rom[^(128 << 10)..], machine.Bytes(0xE_0000, 128 << 10));
        Assert.Equal(0xFFF0ul, machine.Cpu.Rip);
        Assert.Equal(0xF000, machine.Cpu.Segment(SegmentIndex.Cs).Selector);
        Assert.Equal(0xFFFF_0000ul, machine.Cpu.Segment(SegmentIndex.Cs).Base);
        Assert.Equal(0x6000_0010ul, machine.Cpu.Cr0);
    }

    private static byte[] Patched(byte[] file, int at, params byte[] bytes)
    {
        bytes.CopyTo(file, at);
        return file;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(content);
        return packed.ToArray();
    }
}
