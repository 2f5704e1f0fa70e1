using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Platform.Firmware;

namespace Vmm.Platform.Boot;

/// <summary>
/// Boots an ELF file by Xen's PVH entry (Xen docs/misc/pvh, public/arch-x86/hvm/start_info.h): 32-bit protected mode at the address of a
/// note, EBX at hvm_start_info.
/// </summary>
internal static class PvhLoader
{
    private const uint Phys32Entry = 18;
    private const uint StartMagic = 0x336E_C578;
    private const int StartInfoSizeBytes = 56, ModuleSizeBytes = 32, MapEntrySizeBytes = 24;
    private static ReadOnlySpan<byte> Owner => "Xen\0"u8;

    /// <summary>Looks for the note XEN_ELFNOTE_PHYS32_ENTRY.</summary>
    public static bool TryFindEntry(BootImage kernel, ElfImage elf, out uint entry)
    {
        foreach ((ulong offset, ulong sizeBytes) in elf.Notes)
            if (TryFindEntry(kernel.Slice(offset, sizeBytes, "a note segment"), out entry)) return true;
        entry = 0;
        return false;
    }

    public static void Load(BootImage kernel, ElfImage elf, uint entry, BootImage initrd, string commandLine, BootArena arena,
        FirmwareTables tables, ref VcpuState bsp)
    {
        (_, ulong end) = elf.LoadSegments(kernel, arena, 0);
        byte[] info = new byte[StartInfoSizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(info, StartMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(4), 1);
        if (initrd.SizeBytes > 0)
        {
            ulong start = arena.AllocateFrom(initrd, end, (ulong)initrd.SizeBytes, 4096, "the initrd");
            arena.Write(start, initrd.Content);
            byte[] module = new byte[ModuleSizeBytes];
            Put64(module, 0, start);
            Put64(module, 8, (ulong)initrd.SizeBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(12), 1);
            Put64(info, 16, arena.Place(initrd, module, 16, "the module list"));
        }
        Put64(info, 24, arena.PlaceText(kernel, commandLine, "the command line"));
        Put64(info, 32, tables.RsdpAddress);
        IReadOnlyList<E820Entry> entries = E820Map.Build(arena.Memory);
        Put64(info, 40, arena.Place(kernel, MemoryMap(entries), 16, "the memory map"));
        BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(48), (uint)entries.Count);

        uint infoAddress = arena.Place(kernel, info, 16, "hvm_start_info");
        ProcessorEntry.EnterProtectedMode(ref bsp, arena, kernel, entry);
        bsp.Rbx = infoAddress;
    }

    /// <summary>
    /// Walks the notes of one segment: name size, descriptor size, type, then name and descriptor, each padded to 4 bytes.
    /// </summary>
    private static bool TryFindEntry(ReadOnlySpan<byte> notes, out uint entry)
    {
        entry = 0;
        while (notes.Length >= 12)
        {
            uint nameSize = BinaryPrimitives.ReadUInt32LittleEndian(notes), size = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(notes[8..]);
            ulong descriptor = 12 + ((ulong)nameSize + 3 & ~3UL), next = descriptor + ((ulong)size + 3 & ~3UL);
            if (descriptor + size > (ulong)notes.Length) return false;
            if (type == Phys32Entry && size >= 4 && notes.Slice(12, (int)nameSize).SequenceEqual(Owner))
            {
                entry = BinaryPrimitives.ReadUInt32LittleEndian(notes[(int)descriptor..]);
                return true;
            }
            if (next > (ulong)notes.Length) return false;
            notes = notes[(int)next..];
        }
        return false;
    }

    private static byte[] MemoryMap(IReadOnlyList<E820Entry> entries)
    {
        byte[] map = new byte[entries.Count * MapEntrySizeBytes];
        for (int i = 0; i < entries.Count; i++)
        {
            Put64(map, i * MapEntrySizeBytes, entries[i].Start);
            Put64(map, i * MapEntrySizeBytes + 8, entries[i].SizeBytes);
            Put64(map, i * MapEntrySizeBytes + 16, (ulong)entries[i].Type);
        }
        return map;
    }

    private static void Put64(byte[] bytes, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);
}
