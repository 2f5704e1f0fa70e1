using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Platform.Firmware;

namespace Vmm.Platform.Boot;

/// <summary>Boots a kernel by the Multiboot2 specification 2.0, in its i386 machine state.</summary>
internal static class Multiboot2Loader
{
    private const uint BootMagic = 0x36D7_6289;
    private const int TagAlignment = 8;
    /// <summary>Types of information tags (3.4).</summary>
    private const uint End = 0, CommandLine = 1, LoaderName = 2, Module = 3, BasicMemory = 4, MemoryMap = 6, Framebuffer = 8;
    private const uint ElfSymbols = 9, AcpiOldRsdp = 14, AcpiNewRsdp = 15, LoadBaseAddress = 21;
    private const byte FramebufferText = 2;

    public static void Load(BootImage kernel, int headerOffset, BootImage initrd, string commandLine, BootArena arena,
        FirmwareTables tables, ref VcpuState bsp)
    {
        Multiboot2Header header = Multiboot2Header.Read(kernel, headerOffset);
        var info = new TableBuilder();
        info.U32(0).U32(0);
        uint entry;
        ulong end;
        if (header.Addresses is { } raw)
        {
            end = MultibootLoader.LoadRawRange(kernel, headerOffset, raw.Header, raw.Load, raw.LoadEnd, raw.BssEnd, arena);
            entry = header.Entry
                ?? throw new BootImageException(
                    $"{kernel.Name} has a Multiboot2 header with load addresses but no entry address; add that tag.");
        }
        else (entry, end) = LoadElf(kernel, header, arena, info);

        TextTag(info, CommandLine, commandLine);
        TextTag(info, LoaderName, BootLoader.Name);
        if (initrd.SizeBytes > 0) ModuleTag(info, initrd, end, arena);
        BeginTag(info, BasicMemory, 8).U32((uint)(PlatformLayout.ExtendedBiosDataArea >> 10))
            .U32((uint)((arena.Memory.LowSizeBytes - PlatformLayout.OneMebibyte) >> 10));
        IReadOnlyList<E820Entry> map = E820Map.Build(arena.Memory);
        BeginTag(info, MemoryMap, 8 + 24 * map.Count).U32(24).U32(0);
        foreach (E820Entry range in map) info.U64(range.Start).U64(range.SizeBytes).U32((uint)range.Type).U32(0);
        BeginTag(info, Framebuffer, 24).U64(PlatformLayout.VgaTextMemory).U32(160).U32(80).U32(25).U8(16).U8(FramebufferText).U16(0);
        BeginTag(info, AcpiOldRsdp, AcpiTables.RsdpVersion1SizeBytes).Bytes(tables.Rsdp.Span[..AcpiTables.RsdpVersion1SizeBytes]);
        BeginTag(info, AcpiNewRsdp, AcpiTables.RsdpSizeBytes).Bytes(tables.Rsdp.Span);
        BeginTag(info, End, 0);

        byte[] bytes = info.ToArray();
        TableBuilder.PutU32(bytes, 0, (uint)bytes.Length);
        uint infoAddress = arena.Place(kernel, bytes, TagAlignment, "the Multiboot2 information");
        ProcessorEntry.EnterProtectedMode(ref bsp, arena, kernel, entry);
        bsp.Rax = BootMagic;
        bsp.Rbx = infoAddress;
    }

    private static (uint Entry, ulong End) LoadElf(BootImage kernel, Multiboot2Header header, BootArena arena, TableBuilder info)
    {
        if (!ElfImage.Recognizes(kernel))
            throw new BootImageException(
                $"{kernel.Name} has a Multiboot2 header without load addresses and is not an ELF file; link it as ELF.");
        ElfImage elf = ElfImage.Read(kernel);
        ulong shift = ChooseShift(kernel, elf, header, arena);
        (ulong start, ulong end) = elf.LoadSegments(kernel, arena, shift);
        if (header.Relocation is not null) BeginTag(info, LoadBaseAddress, 4).U32((uint)start);
        byte[] sections = ElfSections.Place(kernel, elf, arena, end);
        if (sections.Length > 0)
            BeginTag(info, ElfSymbols, 12 + sections.Length).U32((uint)elf.SectionCount).U32((uint)elf.SectionHeaderSizeBytes)
                .U32((uint)elf.SectionNamesIndex).Bytes(sections);
        ulong entry = header.Entry ?? elf.PhysicalEntry(elf.Entry);
        return (MultibootLoader.Entry32(kernel, unchecked(entry + shift)), end);
    }

    /// <summary>
    /// How far a relocatable kernel is moved: not at all if its own place is free and allowed, else to the lowest place that is.
    /// </summary>
    private static ulong ChooseShift(BootImage kernel, ElfImage elf, Multiboot2Header header, BootArena arena)
    {
        if (header.Relocation is not { } allowed || elf.Segments.Count == 0) return 0;
        ulong lowest = ulong.MaxValue, end = 0;
        foreach (ElfSegment segment in elf.Segments)
        {
            if (segment.MemorySizeBytes > uint.MaxValue || segment.Physical > uint.MaxValue) return 0;
            lowest = Math.Min(lowest, segment.Physical);
            end = Math.Max(end, segment.Physical + segment.MemorySizeBytes);
        }
        ulong size = end - lowest;
        bool allowedHere = lowest >= allowed.Minimum && end - 1 <= allowed.Maximum && lowest % allowed.Alignment == 0;
        if (allowedHere && arena.IsFree(lowest, size)) return 0;
        ulong step = Math.Max(allowed.Alignment, 4096);
        for (ulong at = BootArena.AlignUp(Math.Max(allowed.Minimum, PlatformLayout.OneMebibyte), step);
             at + size - 1 <= allowed.Maximum && at < arena.Memory.LowSizeBytes; at += step)
        {
            if (arena.IsFree(at, size)) return unchecked(at - lowest);
        }
        throw new BootImageException(
            $"{kernel.Name} needs {size} bytes between 0x{allowed.Minimum:x} and 0x{allowed.Maximum:x}, where the guest has not so much " +
            "RAM; give the machine more memory.");
    }

    private static void ModuleTag(TableBuilder info, BootImage initrd, ulong kernelEnd, BootArena arena)
    {
        ulong start = arena.AllocateFrom(initrd, kernelEnd, (ulong)initrd.SizeBytes, 4096, "the module");
        arena.Write(start, initrd.Content);
        byte[] name = BootArena.ZeroTerminated(initrd.Name);
        BeginTag(info, Module, 8 + name.Length).U32((uint)start).U32((uint)start + (uint)initrd.SizeBytes).Bytes(name);
    }

    private static void TextTag(TableBuilder info, uint type, string text)
    {
        byte[] bytes = BootArena.ZeroTerminated(text);
        BeginTag(info, type, bytes.Length).Bytes(bytes);
    }

    /// <summary>Begins a tag behind the previous one: tags are 8-aligned, and their size does not count the padding.</summary>
    private static TableBuilder BeginTag(TableBuilder info, uint type, int contentSizeBytes) =>
        info.AlignTo(TagAlignment).U32(type).U32((uint)(8 + contentSizeBytes));
}
