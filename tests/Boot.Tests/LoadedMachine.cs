using System;
using System.Collections.Generic;
using System.Text;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Platform.Boot;
using Vmm.Platform.Firmware;

namespace Boot.Tests;

/// <summary>Memory and processor after <see cref="BootLoader.Load"/>, as the guest finds them.</summary>
internal sealed class LoadedMachine : IDisposable
{
    public VcpuState Cpu;

    public LoadedMachine(MachineConfiguration configuration)
    {
        Memory = new PhysicalMemory(configuration.MemorySizeBytes, BiosLoader.RomSizeBytes(configuration));
        Tables = new FirmwareTables(configuration.CpuCount);
        try
        {
            BootLoader.Load(configuration, Memory, ref Cpu, Tables);
        }
        catch (BootImageException)
        {
            Memory.Dispose();
            throw;
        }
    }

    public PhysicalMemory Memory { get; }
    public FirmwareTables Tables { get; }

    public static LoadedMachine Kernel(byte[] kernel, byte[]? initrd = null, string commandLine = "", int memoryMiB = 64)
    {
        var images = new List<MachineImage> { new("kernel", "kernel", kernel) };
        if (initrd is not null) images.Add(new("initrd", "initrd", initrd));
        return new LoadedMachine(new MachineConfiguration
        {
            Images = images, CommandLine = commandLine, MemorySizeBytes = (ulong)memoryMiB << 20,
        });
    }

    /// <summary>The one-sentence refusal of a kernel.</summary>
    public static string RefusalOf(byte[] kernel, byte[]? initrd = null, string commandLine = "", int memoryMiB = 64) =>
        Xunit.Assert.Throws<BootImageException>(() => Kernel(kernel, initrd, commandLine, memoryMiB)).Message;

    public byte[] Bytes(ulong address, int count)
    {
        byte[] bytes = new byte[count];
        Memory.Read(new GuestPhysicalAddress(address), bytes);
        return bytes;
    }

    public ushort U16(ulong address) => Memory.Read<ushort>(new GuestPhysicalAddress(address));
    public uint U32(ulong address) => Memory.Read<uint>(new GuestPhysicalAddress(address));
    public ulong U64(ulong address) => Memory.Read<ulong>(new GuestPhysicalAddress(address));

    public string Text(ulong address)
    {
        var text = new StringBuilder();
        for (byte c; (c = Memory.Read<byte>(new GuestPhysicalAddress(address))) != 0; address++) text.Append((char)c);
        return text.ToString();
    }

    public void Dispose() => Memory.Dispose();
}
