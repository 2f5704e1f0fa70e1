using System.IO;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Boot.Tests;

/// <summary>Unmodified kernels from Debian's packages, fetched when first asked for.</summary>
public sealed class DebianKernelTests
{
    [Fact]
    public void Linux()
    {
        using LoadedMachine machine = Load(GuestImages.LinuxCloudKernel(), memoryMiB: 256);
        Assert.Equal(0x100_0200ul, machine.Cpu.Rip);
        Assert.Equal(0x500ul, machine.Cpu.Efer);
        Assert.Equal(0x5372_6448u, machine.U32(machine.Cpu.Rsi + 0x202));
    }

    [Fact]
    public void LinuxNeedsItsMemory()
    {
        string kernel = GuestImages.LinuxCloudKernel();
        BootImageException refusal = Assert.Throws<BootImageException>(() => Load(kernel, memoryMiB: 32).Dispose());
        Assert.Contains("more memory", refusal.Message);
    }

    [Theory]
    [InlineData("memtest86+x64.bin", 0x10_0200ul)]
    [InlineData("memtest86+ia32.bin", 0x10_0000ul)]
    public void Memtest(string file, ulong entry)
    {
        using LoadedMachine machine = Load(GuestImages.Debian("memtest86+/" + file), memoryMiB: 64);
        Assert.Equal(entry, machine.Cpu.Rip);
    }

    [Fact]
    public void GnuMach()
    {
        using LoadedMachine machine = Load(GuestImages.GnuMach(), memoryMiB: 64);
        Assert.Equal(0x2BAD_B002ul, machine.Cpu.Rax);
        Assert.Equal(0x100_0000ul, machine.Cpu.Rip & ~0xFFFFul);
    }

    private static LoadedMachine Load(string file, int memoryMiB) => new(new MachineConfiguration
    {
        Images = [new("kernel", Path.GetFileName(file), File.ReadAllBytes(file))],
        MemorySizeBytes = (ulong)memoryMiB << 20,
        CommandLine = "console=ttyS0",
    });
}
