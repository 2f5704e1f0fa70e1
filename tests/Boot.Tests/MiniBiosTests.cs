using System;
using System.Collections.Generic;
using System.IO;
using TestKit;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Platform.Firmware;
using Xunit;

namespace Boot.Tests;

public sealed class MiniBiosTests
{
    private static string SourceFolder => Repository.PathOf("guests/minibios");

    [Fact]
    public void TheEmbeddedBinaryIsWhatTheSourceGives()
    {
        HostTool.Require("nasm", "nasm");
        using var directory = new TemporaryDirectory();
        Assert.Equal(Assemble("minibios.asm", directory), MiniBios.Assembled());
    }

    [Fact]
    public void BootSectorMachineStartsInTheBios()
    {
        using var machine = new LoadedMachine(Disk(BootableSector()));
        SegmentRegister cs = machine.Cpu.Segment(SegmentIndex.Cs);
        Assert.Equal((0xF000, 0xF_0000ul, 0xFFF0ul), (cs.Selector, cs.Base, machine.Cpu.Rip));
        Assert.Equal(0x10ul, machine.Cpu.Cr0);
        Assert.Equal(0xEA, machine.Bytes(0xF_FFF0, 1)[0]);
        Assert.Equal(4, machine.U16(0xF_E010));
        Assert.Equal(31u << 10, machine.U32(0xF_E012));
        Assert.Equal(0x10_0000ul, machine.U64(0xF_E020 + 60));
        Assert.Equal("RSD PTR "u8.ToArray(), machine.Bytes(machine.Tables.RsdpAddress, 8));
    }

    [Fact]
    public void RefusesDisksThatCannotBoot()
    {
        static string Refusal(MachineConfiguration configuration) =>
            Assert.Throws<BootImageException>(() => new LoadedMachine(configuration).Dispose()).Message;
        Assert.Contains("55 AA", Refusal(Disk(new byte[4096])));
        Assert.Contains("512", Refusal(Disk(new byte[511])));
        Assert.Contains("no disk", Refusal(Disk(null)));
    }

    /// <summary>The services, on an independent machine: QEMU with our BIOS as its ROM runs guests/minibios/services.asm.</summary>
    [Fact]
    public void ServicesWorkInQemu()
    {
        HostTool.Require("nasm", "nasm");
        HostTool.Require("qemu-system-x86_64", "qemu-system-x86");
        using var directory = new TemporaryDirectory();
        Assemble("services.asm", directory);
        using var memory = new PhysicalMemory(32 << 20);
        File.WriteAllBytes(Path.Combine(directory.Path, "bios.rom"), [.. new byte[65536 - MiniBios.SizeBytes], .. MiniBios.Image(memory)]);
        string arguments = "-accel tcg -m 32 -bios bios.rom -drive file=services.bin,format=raw,if=ide,snapshot=on " +
            "-display none -serial none -monitor none -net none -chardev stdio,id=debug " +
            "-device isa-debugcon,iobase=0xe9,chardev=debug -device isa-debug-exit,iobase=0xf4,iosize=4";
        ToolResult qemu = HostTool.Run("qemu-system-x86_64", arguments.Split(' '), TimeSpan.FromMinutes(2), directory.Path);
        Assert.Contains("all services work", qemu.Output);
        Assert.Contains("0010000001F0000000000001", qemu.Output);
        Assert.Equal(1, qemu.ExitCode); // debug-exit code 0, as QEMU tells it
    }

    /// <summary>The same on our own machine.</summary>
    [Fact]
    public void ServicesWorkInOurMachine()
    {
        HostTool.Require("nasm", "nasm");
        using var directory = new TemporaryDirectory();
        var world = new SilentWorld();
        using var machine = new Machine(Disk(Assemble("services.asm", directory)), world, world);
        RunStop stop = machine.Run(50_000_000);
        string state = $"{stop} {machine.Outcome} at {machine.Position}, RIP {machine.Vcpus[0].State.Rip:x}: {world.DebugConsole}";
        Assert.True(stop == RunStop.Ended, state);
        Assert.True(world.DebugConsole.Contains("all services work", StringComparison.Ordinal), state);
        Assert.True(machine.Outcome.Code == 0, state);
    }

    private static byte[] Assemble(string source, TemporaryDirectory directory)
    {
        string binary = Path.Combine(directory.Path, Path.ChangeExtension(source, ".bin"));
        ToolResult nasm = HostTool.Run("nasm", ["-f", "bin", "-o", binary, source], TimeSpan.FromMinutes(1), SourceFolder);
        Assert.True(nasm.ExitCode == 0, nasm.Error);
        return File.ReadAllBytes(binary);
    }

    private static byte[] BootableSector()
    {
        byte[] sector = new byte[512];
        sector[510] = 0x55;
        sector[511] = 0xAA;
        return sector;
    }

    private static MachineConfiguration Disk(byte[]? content)
    {
        var images = new List<MachineImage>();
        if (content is not null) images.Add(new("disk0", "disk.img", content));
        return new MachineConfiguration { Boot = BootKind.BootSector, MemorySizeBytes = 32 << 20, Images = images };
    }

    private sealed class TemporaryDirectory : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("minibios").FullName;
        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
