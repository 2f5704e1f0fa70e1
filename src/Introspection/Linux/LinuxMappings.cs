using System.Collections.Generic;
using Symbols;
using Symbols.Elf;

namespace Introspection.Linux;

/// <summary>The user-mode mappings of a process: its maple tree of areas since 6.1, their list before.</summary>
internal sealed class LinuxMappings(LinuxKernel kernel, KernelLayout layout)
{
    private const int MaximumMappings = 1 << 16;
    private const int PageShift = 12;

    private readonly FilePaths _paths = new(kernel.Memory, layout);

    internal List<LinuxMapping> Of(ulong mm)
    {
        var mappings = new List<LinuxMapping>();
        foreach (ulong area in Areas(mm))
        {
            if (Mapping(mm, area) is not { } mapping) break;
            mappings.Add(mapping);
        }
        return mappings;
    }

    /// <summary>The programs and libraries whose code is mapped.</summary>
    internal List<MappedProgram> Programs(ulong mm)
    {
        var programs = new List<MappedProgram>();
        List<LinuxMapping> mappings = Of(mm);
        AddressSpaceReader? memory = UserMemory(mm);
        foreach (LinuxMapping code in mappings)
        {
            if (!code.IsExecutable || (code.Path ?? code.Label) is not { } path || (code.Path is null && path != "[vdso]")) continue;
            ElfImage? image = memory is null ? null : OpenMapped(memory, mappings.FindAll(each => each.Inode == code.Inode && (each.Path ?? each.Label) == path), path);
            string? buildId = image?.BuildIdText;
            programs.Add(new MappedProgram(path, code, image is null ? null : MappedProgram.BiasOf(image, code), buildId is { Length: > 0 } ? buildId : null, image));
        }
        return programs;
    }

    /// <summary>A process's address space; null: unknown.</summary>
    internal AddressSpaceReader? UserMemory(ulong mm)
    {
        if (layout.Pointer(kernel.Memory, mm, "mm_struct", "pgd") is not { } tables || kernel.Memory.Translate(tables) is not { } root) return null;
        return new AddressSpaceReader(kernel.Memory.Machine, kernel.Memory.Controls with { Root = root });
    }

    private static ElfImage? OpenMapped(AddressSpaceReader memory, List<LinuxMapping> mappings, string path)
    {
        try
        {
            return ElfImage.Open(new MappedFileImage(memory, mappings, path));
        }
        catch (SymbolFormatException)
        {
            return null;
        }
    }

    private IEnumerable<ulong> Areas(ulong mm)
    {
        if (layout.Pointer(kernel.Memory, mm, "mm_struct", "mm_mt.ma_root") is { } root) return new MapleTree(kernel.Memory, layout, kernel.Types!).Entries(root);
        return Chain(mm);
    }

    private IEnumerable<ulong> Chain(ulong mm)
    {
        ulong? area = layout.Pointer(kernel.Memory, mm, "mm_struct", "mmap");
        for (int i = 0; i < MaximumMappings && area is { } at; i++)
        {
            yield return at;
            area = layout.Pointer(kernel.Memory, at, "vm_area_struct", "vm_next");
        }
    }

    private LinuxMapping? Mapping(ulong mm, ulong area)
    {
        if (Number(area, "vm_start") is not { } start || Number(area, "vm_end") is not { } end || end <= start || start >> 63 != 0) return null;
        ulong? file = layout.Pointer(kernel.Memory, area, "vm_area_struct", "vm_file");
        return new LinuxMapping
        {
            Start = start,
            End = end,
            Flags = Number(area, "vm_flags") ?? 0,
            FileOffset = file is null ? 0 : (Number(area, "vm_pgoff") ?? 0) << PageShift,
            Path = file is { } mapped ? _paths.Of(mapped) : null,
            Label = file is null ? Label(mm, area, start, end) : null,
            Inode = file is { } of ? layout.Pointer(kernel.Memory, of, "file", "f_inode") ?? 0 : 0,
        };
    }

    // fs/proc/task_mmu.c, show_map_vma.
    private string? Label(ulong mm, ulong area, ulong start, ulong end)
    {
        if (Number(area, "vm_ops") is { } operations and not 0 && operations == kernel.Image.Symbols.AddressOf("special_mapping_vmops"))
        {
            ulong? special = layout.Pointer(kernel.Memory, area, "vm_area_struct", "vm_private_data");
            ulong? name = special is { } at ? layout.Pointer(kernel.Memory, at, "vm_special_mapping", "name") : null;
            return name is { } text ? kernel.Memory.ReadText(text, 64) : null;
        }
        if (InMm("start_brk") is { } heap && InMm("brk") is { } heapEnd && start <= heapEnd && end >= heap && heap != 0) return "[heap]";
        return InMm("start_stack") is { } stack && start <= stack && end >= stack && stack != 0 ? "[stack]" : null;

        ulong? InMm(string member) => layout.Number(kernel.Memory, mm, "mm_struct", member);
    }

    private ulong? Number(ulong area, string member) => layout.Number(kernel.Memory, area, "vm_area_struct", member);
}
