using System.IO;
using System.Linq;
using Vmm.Platform;
using Xunit;

namespace Boot.Tests;

/// <summary>Unmodified kernels from Debian's packages, fetched by guests/fetch-debian.sh into artifacts/debian.</summary>
public sealed class DebianKernelTests
{
    [Fact]
    public void Linux()
    {
        using LoadedMachine machine = Load("vmlinuz*", memoryMiB: 256);
        Assert.Equal(0x100_0200ul, machine.Cpu.Rip);
        Assert.Equal(0x500ul, machine.Cpu.Efer);
        Assert.Equal(0x5372_6448u, machine.U32(machine.Cpu.Rsi + 0x202));
    }

    [Fact]
    public void LinuxNeedsItsMemory()
    {
        BootImageException refusal = Assert.Throws<BootImageException>(() => Load("vmlinuz*", memoryMiB: 32).Dispose());
        Assert.Contains("more memory", refusal.Message);
    }

    [Theory]
    [InlineData("memtest86+x64.bin", 0x10_0200ul)]
    [InlineData("memtest86+ia32.bin", 0x10_0000ul)]
    public void Memtest(string file, ulong entry)
    {
        using LoadedMachine machine = Load(file, memoryMiB: 64);
        Assert.Equal(entry, machine.Cpu.Rip);
    }

    [Fact]
    public void GnuMach()
    {
        using LoadedMachine machine = Load("gnumach*", memoryMiB: 64);
        Assert.Equal(0x2BAD_B002ul, machine.Cpu.Rax);
        Assert.Equal(0x100_0000ul, machine.Cpu.Rip & ~0xFFFFul);
    }

    private static LoadedMachine Load(string pattern, int memoryMiB)
    {
        string directory = System.Environment.GetEnvironmentVariable("TTVM_DEBIAN")
            ?? Path.Combine(ExternalTool.RepositoryRoot(), "artifacts", "debian");
        string? file = Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory, pattern, SearchOption.AllDirectories)
                .Where(f => !f.EndsWith(".deb", System.StringComparison.Ordinal)).Order().FirstOrDefault()
            : null;
        if (file is null) ExternalTool.Missing($"no {pattern} under artifacts/debian: run guests/fetch-debian.sh");
        return new LoadedMachine(new MachineConfiguration
        {
            Images = [new("kernel", Path.GetFileName(file!), File.ReadAllBytes(file!))],
            MemorySizeBytes = (ulong)memoryMiB << 20,
            CommandLine = "console=ttyS0",
        });
    }
}
