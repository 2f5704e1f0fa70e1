using System;
using System.Collections.Generic;

namespace Vmm.Platform.Boot;

/// <summary>A loadable segment of an ELF file (program header of type PT_LOAD), by physical address.</summary>
internal readonly record struct ElfSegment(ulong FileOffset, ulong FileSizeBytes, ulong Virtual, ulong Physical, ulong MemorySizeBytes);

/// <summary>
/// What the boot loaders need of an ELF file for x86 (System V gABI chapters 4 and 5): header, segments, notes and section headers.
/// </summary>
internal sealed class ElfImage
{
    private const byte Class32 = 1, Class64 = 2, LittleEndian = 1;
    private const ushort TypeExecutable = 2, TypeShared = 3, MachineI386 = 3, MachineX86_64 = 62;
    private const uint SegmentLoad = 1, SegmentNote = 4;

    public bool Is64 { get; private init; }
    public ulong Entry { get; private init; }
    public IReadOnlyList<ElfSegment> Segments { get; private init; } = [];
    /// <summary>File offset and size of each PT_NOTE segment.</summary>
    public IReadOnlyList<(ulong Offset, ulong SizeBytes)> Notes { get; private init; } = [];
    public ulong SectionHeadersOffset { get; private init; }
    public int SectionCount { get; private init; }
    public int SectionHeaderSizeBytes { get; private init; }
    public int SectionNamesIndex { get; private init; }

    public static bool Recognizes(BootImage file) => file.StartsWith([0x7F, (byte)'E', (byte)'L', (byte)'F']);

    /// <summary>Reads the headers.</summary>
    /// <exception cref="BootImageException">Not for x86, not executable, or cut off.</exception>
    public static ElfImage Read(BootImage file)
    {
        byte elfClass = file.U8(4, "the ELF class");
        bool is64 = elfClass == Class64;
        if (!is64 && elfClass != Class32)
            throw new BootImageException($"{file.Name} is a damaged ELF file (class {elfClass}); get the file again.");
        if (file.U8(5, "the ELF byte order") != LittleEndian)
            throw new BootImageException(
                $"{file.Name} is a big-endian ELF file; this machine is an x86: give a kernel built for i386 or x86-64.");
        ushort machine = file.U16(18, "the ELF machine");
        if (machine != MachineX86_64 && (machine != MachineI386 || is64))
            throw new BootImageException(
                $"{file.Name} is an ELF file for {MachineName(machine)}; this machine is an x86: give a kernel built for i386 or x86-64.");
        ushort type = file.U16(16, "the ELF type");
        if (type is not (TypeExecutable or TypeShared))
            throw new BootImageException($"{file.Name} is an ELF file of type {type}, not an executable; link it first.");

        ulong programHeaders = is64 ? file.U64(32, "the ELF header") : file.U32(28, "the ELF header");
        ulong tail = is64 ? 54u : 42u;
        ushort entrySize = file.U16(tail, "the ELF header"), entryCount = file.U16(tail + 2, "the ELF header");
        var segments = new List<ElfSegment>();
        var notes = new List<(ulong, ulong)>();
        if (entryCount > 0 && entrySize < (is64 ? 56 : 32))
            throw new BootImageException($"{file.Name} is a damaged ELF file (program headers of {entrySize} bytes); get the file again.");
        file.Slice(programHeaders, (ulong)entryCount * entrySize, "the table of program headers");
        for (int i = 0; i < entryCount; i++) ReadProgramHeader(file, is64, programHeaders + (ulong)(i * entrySize), segments, notes);

        return new ElfImage
        {
            Is64 = is64,
            Entry = is64 ? file.U64(24, "the ELF entry point") : file.U32(24, "the ELF entry point"),
            Segments = segments,
            Notes = notes,
            SectionHeadersOffset = is64 ? file.U64(40, "the ELF header") : file.U32(32, "the ELF header"),
            SectionHeaderSizeBytes = file.U16(tail + 4, "the ELF header"),
            SectionCount = file.U16(tail + 6, "the ELF header"),
            SectionNamesIndex = file.U16(tail + 8, "the ELF header"),
        };
    }

    /// <summary>
    /// Copies the segments to their physical addresses, moved by <paramref name="shift"/>. Guest memory is zero before, so what lies behind
    /// a segment's file content is zero too.
    /// </summary>
    /// <returns>Lowest address and first address behind the image.</returns>
    public (ulong Start, ulong End) LoadSegments(BootImage file, BootArena arena, ulong shift)
    {
        ulong lowest = ulong.MaxValue, end = 0;
        foreach (ElfSegment segment in Segments)
        {
            ReadOnlySpan<byte> content = file.Slice(segment.FileOffset, segment.FileSizeBytes, "a segment");
            ulong start = unchecked(segment.Physical + shift);
            arena.Claim(file, start, segment.MemorySizeBytes, "the kernel");
            arena.Write(start, content);
            lowest = Math.Min(lowest, start);
            end = Math.Max(end, start + segment.MemorySizeBytes);
        }
        if (end == 0)
            throw new BootImageException(
                $"{file.Name} is an ELF file with nothing to load (no PT_LOAD segment); give an executable kernel.");
        return (lowest, end);
    }

    /// <summary>
    /// The entry point as a physical address. Kernels linked to run elsewhere than they are loaded give a virtual one, which GRUB
    /// translates by the segment that holds it; one that lies in no segment is physical already.
    /// </summary>
    public ulong PhysicalEntry(ulong entry)
    {
        foreach (ElfSegment segment in Segments)
            if (entry >= segment.Virtual && entry - segment.Virtual < segment.MemorySizeBytes)
                return unchecked(entry - segment.Virtual + segment.Physical);
        return entry;
    }

    private static void ReadProgramHeader(BootImage file, bool is64, ulong at, List<ElfSegment> segments, List<(ulong, ulong)> notes)
    {
        const string what = "a program header";
        uint type = file.U32(at, what);
        ulong offset = is64 ? file.U64(at + 8, what) : file.U32(at + 4, what);
        ulong fileSize = is64 ? file.U64(at + 32, what) : file.U32(at + 16, what);
        if (type == SegmentNote) notes.Add((offset, fileSize));
        if (type != SegmentLoad) return;
        ulong memorySize = is64 ? file.U64(at + 40, what) : file.U32(at + 20, what);
        if (memorySize == 0) return;
        if (fileSize > memorySize)
            throw new BootImageException(
                $"{file.Name} is a damaged ELF file (a segment of {memorySize} bytes has {fileSize} in the file); get the file again.");
        ulong virtualAddress = is64 ? file.U64(at + 16, what) : file.U32(at + 8, what);
        ulong physical = is64 ? file.U64(at + 24, what) : file.U32(at + 12, what);
        segments.Add(new ElfSegment(offset, fileSize, virtualAddress, physical, memorySize));
    }

    private static string MachineName(ushort machine) => machine switch
    {
        2 => "SPARC",
        3 => "i386 with 64-bit headers",
        8 => "MIPS",
        20 => "PowerPC",
        21 => "64-bit PowerPC",
        22 => "S/390",
        40 => "ARM",
        43 => "SPARC V9",
        183 => "AArch64",
        243 => "RISC-V",
        258 => "LoongArch",
        _ => $"another processor (machine {machine})",
    };
}
