using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Devices;
using Vmm.Devices.Pci;
using Vmm.Memory;
using Vmm.Snapshots;

namespace IoDevices.Tests;

/// <summary>RAM, buses, a host bridge and an ISA bridge, and what a driver does with them.</summary>
internal sealed class Board : IIrqSink, IMsiSink, IByteSink, IEntropySource, IDisposable
{
    public static readonly byte[] Routes = [10, 10, 11, 11];

    public Board(ulong ramSizeBytes = 4 << 20)
    {
        Memory = new PhysicalMemory(ramSizeBytes);
        var isaIrqs = new IrqLine[16];
        for (int i = 0; i < 16; i++) isaIrqs[i] = new IrqLine(this, i);
        IsaBridge = new Piix3IsaBridge(isaIrqs);
        Bus = new PciBus(Ports, Memory.Mmio, IsaBridge);
        HostBridge = new PciHostBridge(Bus, Ports);
        Bus.Add(IsaBridge, 1);
    }

    public PhysicalMemory Memory { get; }
    public PortBus Ports { get; } = new();
    public PciBus Bus { get; }
    public PciHostBridge HostBridge { get; }
    public Piix3IsaBridge IsaBridge { get; }
    public bool[] IrqLevels { get; } = new bool[16];
    public int[] IrqEdges { get; } = new int[16];
    public List<(ulong Address, uint Data)> Messages { get; } = [];
    public List<byte> Output { get; } = [];
    public int EntropyBytes { get; private set; }

    public void SetIrqLevel(int input, bool high)
    {
        IrqLevels[input] = high;
        if (high) IrqEdges[input]++;
    }

    public void SendMessage(ulong address, uint data) => Messages.Add((address, data));

    public void WriteByte(byte value) => Output.Add(value);

    public void Fill(Span<byte> destination)
    {
        foreach (ref byte b in destination) b = (byte)(0x40 + EntropyBytes++);
    }

    public byte In8(int port) => (byte)Ports.Read(new PortNumber((ushort)port), 1);
    public ushort In16(int port) => (ushort)Ports.Read(new PortNumber((ushort)port), 2);
    public uint In32(int port) => Ports.Read(new PortNumber((ushort)port), 4);
    public void Out8(int port, uint value) => Ports.Write(new PortNumber((ushort)port), 1, value);
    public void Out16(int port, uint value) => Ports.Write(new PortNumber((ushort)port), 2, value);
    public void Out32(int port, uint value) => Ports.Write(new PortNumber((ushort)port), 4, value);

    public ulong ReadMmio(ulong address, int sizeBytes) => Memory.Mmio.Read(new GuestPhysicalAddress(address), sizeBytes);
    public void WriteMmio(ulong address, int sizeBytes, ulong value) => Memory.Mmio.Write(new GuestPhysicalAddress(address), sizeBytes, value);

    public T Peek<T>(ulong address) where T : unmanaged => Memory.Read<T>(new GuestPhysicalAddress(address));
    public void Poke<T>(ulong address, T value) where T : unmanaged => Memory.Write(new GuestPhysicalAddress(address), value);

    public byte[] PeekBytes(ulong address, int count)
    {
        var bytes = new byte[count];
        Memory.Read(new GuestPhysicalAddress(address), bytes);
        return bytes;
    }

    public uint ReadConfig(int device, int function, int offset, int sizeBytes)
    {
        Out32(0xCF8, 0x8000_0000u | (uint)device << 11 | (uint)function << 8 | (uint)offset & 0xFC);
        return Ports.Read(new PortNumber((ushort)(0xCFC + (offset & 3))), sizeBytes);
    }

    public void WriteConfig(int device, int function, int offset, int sizeBytes, uint value)
    {
        Out32(0xCF8, 0x8000_0000u | (uint)device << 11 | (uint)function << 8 | (uint)offset & 0xFC);
        Ports.Write(new PortNumber((ushort)(0xCFC + (offset & 3))), sizeBytes, value);
    }

    /// <summary>Offset of the first capability with an id that the condition accepts, as a driver walks the list; 0 for none.</summary>
    public int FindCapability(int device, byte id, Func<int, bool>? accept = null)
    {
        int at = (int)ReadConfig(device, 0, 0x34, 1);
        for (int guard = 0; at != 0 && guard < 48; guard++)
        {
            if (ReadConfig(device, 0, at, 1) == id && (accept is null || accept(at))) return at;
            at = (int)ReadConfig(device, 0, at + 1, 1);
        }
        return 0;
    }

    public static byte[] SaveOf(ISnapshotted part)
    {
        var writer = new StateWriter();
        part.Save(writer);
        return writer.Written.ToArray();
    }

    public static void RestoreTo(ISnapshotted part, byte[] state)
    {
        var reader = new StateReader(state);
        part.Restore(reader);
        Xunit.Assert.True(reader.AtEnd);
    }

    public void Dispose() => Memory.Dispose();
}
