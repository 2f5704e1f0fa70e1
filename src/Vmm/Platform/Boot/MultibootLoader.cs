using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Platform.Firmware;

namespace Vmm.Platform.Boot;

/// <summary>Boots a kernel by the Multiboot specification 0.6.96 (version 1): ELF, or raw with addresses in the header.</summary>
internal static class MultibootLoader
{
    private const uint HeaderMagic = 0x1BAD_B002, BootMagic = 0x2BAD_B002;
    private const int SearchSizeBytes = 8192, HeaderSizeBytes = 12, AddressFieldsEnd = 32;
    /// <summary>Header flags: bits 0..15 must be understood or the kernel refused.</summary>
    private const uint AddressFieldsValid = 1 << 16, PageAlignModules = 1 << 0, MemoryInformation = 1 << 1, VideoMode = 1 << 2;
    private const uint Understood = PageAlignModules | MemoryInformation | VideoMode;

    private const int InfoSizeBytes = 116;
    private const uint InfoMemory = 1 << 0, InfoCommandLine = 1 << 2, InfoModules = 1 << 3, InfoElfSections = 1 << 5;
    private const uint InfoMemoryMap = 1 << 6, InfoLoaderName = 1 << 9, InfoFramebuffer = 1 << 12;
    private const byte FramebufferText = 2;

    /// <summary>Finds the header: 4-aligned, wholly in the first 8 KiB.</summary>
    public static bool TryFindHeader(BootImage kernel, out int offset)
    {
        int end = Math.Min(kernel.SizeBytes, SearchSizeBytes) - HeaderSizeBytes;
        for (offset = 0; offset <= end; offset += 4)
        {
            ReadOnlySpan<byte> at = kernel.Content[offset..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(at) != HeaderMagic) continue;
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(at[4..]), checksum = BinaryPrimitives.ReadUInt32LittleEndian(at[8..]);
            if (unchecked(HeaderMagic + flags + checksum) == 0) return true;
        }
        return false;
    }

    public static void Load(BootImage kernel, int header, BootImage initrd, string commandLine, BootArena arena, ref VcpuState bsp)
    {
        uint flags = kernel.U32((ulong)header + 4, "the Multiboot header");
        if ((flags & 0xFFFF & ~Understood) != 0)
            throw new BootImageException(
                $"{kernel.Name} demands Multiboot features that do not exist here (flags 0x{flags & 0xFFFF:x}); build it without them.");

        byte[] info = new byte[InfoSizeBytes];
        uint present = InfoMemory | InfoCommandLine | InfoMemoryMap | InfoLoaderName | InfoFramebuffer;
        uint entry;
        ulong end;
        if ((flags & AddressFieldsValid) != 0) (entry, end) = LoadRaw(kernel, header, arena);
        else
        {
            if (!ElfImage.Recognizes(kernel))
                throw new BootImageException(
                    $"{kernel.Name} has a Multiboot header without addresses and is not an ELF file; link it as ELF.");
            ElfImage elf = ElfImage.Read(kernel);
            (_, end) = elf.LoadSegments(kernel, arena, 0);
            entry = Entry32(kernel, elf.PhysicalEntry(elf.Entry));
            byte[] sections = ElfSections.Place(kernel, elf, arena, end);
            if (sections.Length > 0)
            {
                present |= InfoElfSections;
                Put(info, 28, (uint)elf.SectionCount);
                Put(info, 32, (uint)elf.SectionHeaderSizeBytes);
                Put(info, 36, arena.Place(kernel, sections, 16, "the section headers"));
                Put(info, 40, (uint)elf.SectionNamesIndex);
            }
        }
        if (initrd.SizeBytes > 0)
        {
            present |= InfoModules;
            PlaceModule(initrd, end, arena, info);
        }
        FillInfo(kernel, commandLine, arena, info, present);
        uint infoAddress = arena.Place(kernel, info, 16, "the Multiboot information");
        ProcessorEntry.EnterProtectedMode(ref bsp, arena, kernel, entry);
        bsp.Rax = BootMagic;
        bsp.Rbx = infoAddress;
    }

    /// <summary>An entry point as a 32-bit processor reaches it.</summary>
    public static uint Entry32(BootImage kernel, ulong entry) => entry <= uint.MaxValue
        ? (uint)entry
        : throw new BootImageException(
            $"{kernel.Name} is entered in 32-bit mode, but its entry point 0x{entry:x} is above 4 GiB; link it lower.");

    /// <summary>Loads by the header's address fields (the "a.out kludge").</summary>
    private static (uint Entry, ulong End) LoadRaw(BootImage kernel, int header, BootArena arena)
    {
        const string what = "the Multiboot header's addresses";
        kernel.Slice((ulong)header, AddressFieldsEnd, what);
        uint headerAddress = kernel.U32((ulong)header + 12, what), loadAddress = kernel.U32((ulong)header + 16, what);
        uint loadEnd = kernel.U32((ulong)header + 20, what), bssEnd = kernel.U32((ulong)header + 24, what);
        uint entry = kernel.U32((ulong)header + 28, what);
        return (entry, LoadRawRange(kernel, header, headerAddress, loadAddress, loadEnd, bssEnd, arena));
    }

    /// <summary>
    /// Loads the file from the byte that belongs to <paramref name="loadAddress"/>; both versions of the specification define the fields
    /// alike.
    /// </summary>
    /// <returns>First address behind the image.</returns>
    public static ulong LoadRawRange(BootImage kernel, int header, uint headerAddress, uint loadAddress, uint loadEnd, uint bssEnd,
        BootArena arena)
    {
        if (loadAddress > headerAddress || headerAddress - loadAddress > (uint)header)
            throw new BootImageException(
                $"{kernel.Name} has a damaged Multiboot header (header at 0x{headerAddress:x}, load address 0x{loadAddress:x}); get the " +
                "file again.");
        uint fileOffset = (uint)header - (headerAddress - loadAddress);
        ulong size = loadEnd == 0 ? (ulong)kernel.SizeBytes - fileOffset : loadEnd > loadAddress ? loadEnd - loadAddress : 0;
        ReadOnlySpan<byte> content = kernel.Slice(fileOffset, size, "the kernel's content");
        ulong end = Math.Max(loadAddress + size, bssEnd);
        arena.Claim(kernel, loadAddress, end - loadAddress, "the kernel");
        arena.Write(loadAddress, content);
        return end;
    }

    private static void PlaceModule(BootImage initrd, ulong kernelEnd, BootArena arena, byte[] info)
    {
        ulong start = arena.AllocateFrom(initrd, kernelEnd, (ulong)initrd.SizeBytes, 4096, "the module");
        arena.Write(start, initrd.Content);
        byte[] module = new byte[16];
        Put(module, 0, (uint)start);
        Put(module, 4, (uint)start + (uint)initrd.SizeBytes);
        Put(module, 8, arena.PlaceText(initrd, initrd.Name, "the module's name"));
        Put(info, 20, 1);
        Put(info, 24, arena.Place(initrd, module, 16, "the module list"));
    }

    private static void FillInfo(BootImage kernel, string commandLine, BootArena arena, byte[] info, uint present)
    {
        Put(info, 0, present);
        Put(info, 4, (uint)(PlatformLayout.ExtendedBiosDataArea >> 10));
        Put(info, 8, (uint)((arena.Memory.LowSizeBytes - PlatformLayout.OneMebibyte) >> 10));
        // As GRUB Legacy and QEMU do: the first word is the kernel's name.
        string line = commandLine.Length == 0 ? kernel.Name : $"{kernel.Name} {commandLine}";
        Put(info, 16, arena.PlaceText(kernel, line, "the command line"));
        byte[] map = MemoryMap(E820Map.Build(arena.Memory));
        Put(info, 44, (uint)map.Length);
        Put(info, 48, arena.Place(kernel, map, 16, "the memory map"));
        Put(info, 64, arena.PlaceText(kernel, BootLoader.Name, "the boot loader's name"));
        Put(info, 88, (uint)PlatformLayout.VgaTextMemory);
        Put(info, 96, 160);
        Put(info, 100, 80);
        Put(info, 104, 25);
        info[108] = 16;
        info[109] = FramebufferText;
    }

    /// <summary>Each entry begins with its size, which does not count the size field itself.</summary>
    private static byte[] MemoryMap(IReadOnlyList<E820Entry> entries)
    {
        const int entrySize = 24;
        byte[] map = new byte[entries.Count * entrySize];
        for (int i = 0; i < entries.Count; i++)
        {
            Span<byte> at = map.AsSpan(i * entrySize);
            BinaryPrimitives.WriteUInt32LittleEndian(at, entrySize - 4);
            BinaryPrimitives.WriteUInt64LittleEndian(at[4..], entries[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(at[12..], entries[i].SizeBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(at[20..], (uint)entries[i].Type);
        }
        return map;
    }

    private static void Put(byte[] bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
}
