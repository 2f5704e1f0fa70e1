using System;
using System.Buffers.Binary;
using Introspection.Devices;
using Vmm.Memory;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>Which bytes of a disk the guest gets, by what the controller is about to do. Each answer is compared with the disk.</summary>
internal static class DiskOrigins
{
    private const int SectorSizeBytes = 512, DescriptorSizeBytes = 16, MaximumDescriptors = 512, MaximumRegions = 8192;
    private const int PrimaryDataPort = 0x1F0, SecondaryDataPort = 0x170;
    private const ushort FlagNext = 1, FlagWrite = 2, FlagIndirect = 4;

    /// <summary>What is read from an ATA channel's data port; null: it is none, or no sector.</summary>
    /// <param name="machine">Stands just before the read.</param>
    /// <param name="port">The port.</param>
    /// <param name="within">The first byte that is asked for, of what is read.</param>
    /// <param name="value">The bytes asked for.</param>
    /// <param name="sizeBytes">How many.</param>
    public static string? FromPort(Machine machine, int port, int within, UInt128 value, int sizeBytes)
    {
        int channel = port switch { PrimaryDataPort => 0, SecondaryDataPort => 1, _ => -1 };
        if (channel < 0 || Drive(machine, channel) is not { } drive) return null;
        return Describe(machine, drive.Disk, drive.NextSector * SectorSizeBytes + drive.Position + (ulong)within, value, sizeBytes);
    }

    /// <summary>What a chip is about to store at a physical address; null: it is not known to be of a disk.</summary>
    public static string? FromStore(Machine machine, ulong physical, UInt128 value, int sizeBytes)
    {
        int virtioDisk = 0;
        foreach (ChipState chip in machine.ReadChips())
        {
            var fields = new ChipFields(chip);
            if (fields.Count("table") == 2 && FromBusMaster(machine, fields, physical, value, sizeBytes) is { } sector) return sector;
            if (!IsVirtioDisk(new ChipFields(chip))) continue;
            if (FromQueue(machine, new ChipFields(chip), virtioDisk++, physical, value, sizeBytes) is { } block) return block;
        }
        return null;
    }

    // The regions of a bus master's table follow one another on the disk (Intel 82371SB, "Bus Master IDE function").
    private static string? FromBusMaster(Machine machine, ChipFields chip, ulong physical, UInt128 value, int sizeBytes)
    {
        for (int channel = 0; channel < 2; channel++)
        {
            ulong table = chip.Number("table");
            if (table == 0 || Drive(machine, channel) is not { } drive) continue;
            ulong done = 0;
            for (int i = 0; i < MaximumRegions; i++)
            {
                ulong entry = Read(machine, table + (ulong)i * 8), start = (uint)entry & ~1u, count = (entry >> 32 & 0xFFFE) is 0 ? 0x10000 : entry >> 32 & 0xFFFE;
                if (physical - start < count
                    && Describe(machine, drive.Disk, drive.NextSector * SectorSizeBytes + drive.Position + done + (physical - start), value, sizeBytes) is { } found) return found;
                done += count;
                if (entry >> 63 != 0) break;
            }
        }
        return null;
    }

    private static bool IsVirtioDisk(ChipFields chip)
    {
        ReadOnlySpan<byte> config = chip.Bytes("config").Span;
        return config.Length >= 64 && BinaryPrimitives.ReadUInt32LittleEndian(config) == 0x1042_1AF4;
    }

    // A request's chain: its header with the sector, then the buffers (virtio 1.2, 2.7 and 5.2.6).
    private static string? FromQueue(Machine machine, ChipFields chip, int disk, ulong physical, UInt128 value, int sizeBytes)
    {
        ulong size = chip.Number("size"), table = chip.Number("descriptorTable"), available = chip.Number("availableRing"), next = chip.Number("nextAvailable");
        if (size is 0 or > 1024) return null;
        ushort offered = (ushort)Read(machine, available + 2);
        for (ushort at = (ushort)next; at != offered && (ushort)(at - next) < size; at++)
        {
            ulong head = (ushort)Read(machine, available + 4 + at % size * 2);
            if (FromChain(machine, table, head, physical, out ulong sector, out ulong offset)
                && Describe(machine, disk, sector * SectorSizeBytes + offset, value, sizeBytes) is { } found) return found;
        }
        return null;
    }

    private static bool FromChain(Machine machine, ulong table, ulong index, ulong physical, out ulong sector, out ulong offset)
    {
        bool hasHeader = false;
        sector = offset = 0;
        for (int i = 0; i < MaximumDescriptors; i++)
        {
            ulong at = table + index * DescriptorSizeBytes, address = Read(machine, at), rest = Read(machine, at + 8);
            ulong length = (uint)rest;
            int flags = (ushort)(rest >> 32);
            if ((flags & FlagIndirect) != 0)
            {
                (table, index) = (address, 0);
                continue;
            }
            if (!hasHeader)
            {
                const uint typeIn = 0;
                if ((uint)Read(machine, address) != typeIn) return false;
                sector = Read(machine, address + 8);
                hasHeader = true;
            }
            else if ((flags & FlagWrite) != 0)
            {
                if (physical - address < length)
                {
                    offset += physical - address;
                    return true;
                }
                offset += length;
            }
            if ((flags & FlagNext) == 0) return false;
            index = (ushort)(rest >> 48);
        }
        return false;
    }

    private static (int Disk, ulong NextSector, ulong Position)? Drive(Machine machine, int channel)
    {
        int seen = 0;
        foreach (ChipState chip in machine.ReadChips())
        {
            var fields = new ChipFields(chip);
            if (fields.Count("nextSector") == 0 || fields.Count("selected") == 0 || seen++ != channel) continue;
            ulong selected = fields.Number("selected") & 1;
            for (ulong skipped = 0; skipped < selected; skipped++) _ = (fields.Number("nextSector"), fields.Number("position"));
            return (channel * 2 + (int)selected, fields.Number("nextSector"), fields.Number("position"));
        }
        return null;
    }

    // Null when the disk does not hold that value there, or there is no such disk.
    private static string? Describe(Machine machine, int disk, ulong offset, UInt128 value, int sizeBytes)
    {
        string name = $"disk{disk}";
        foreach (PagedMemory memory in machine.PagedMemories)
        {
            if (memory.Name != name || offset + (ulong)sizeBytes > (ulong)memory.SizeBytes) continue;
            Span<byte> bytes = stackalloc byte[ValueLocation.MaximumSizeBytes];
            bytes.Clear();
            memory.Read((long)offset, bytes[..sizeBytes]);
            if (BinaryPrimitives.ReadUInt128LittleEndian(bytes) != value) return null;
            bool isOriginal = machine.Configuration.FindImage(name) is { } image && offset + (ulong)sizeBytes <= (ulong)image.Content.Length
                && image.Content.Span.Slice((int)offset, sizeBytes).SequenceEqual(bytes[..sizeBytes]);
            return $"byte {offset % SectorSizeBytes} of sector {offset / SectorSizeBytes} of disk {disk}{(isOriginal ? ", as in its image" : ", which the guest wrote before")}";
        }
        return null;
    }

    private static ulong Read(Machine machine, ulong physical) =>
        machine.Memory.RamOffset(physical) >= 0 && machine.Memory.RamOffset(physical + 7) >= 0 ? machine.Memory.Read<ulong>(new GuestPhysicalAddress(physical)) : 0;
}
