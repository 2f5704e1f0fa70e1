using Symbols.Elf;

namespace Introspection.Linux;

/// <summary>A program or library whose code a process has mapped.</summary>
/// <param name="Path">Of its file, or [vdso].</param>
/// <param name="Code">The executable part.</param>
/// <param name="Bias">What is added to the file's addresses to get the process's; null: its program headers are not in memory, see <see cref="BiasOf(ElfImage)"/>.</param>
/// <param name="BuildId">The file's GNU build ID in lower-case hexadecimal; null: none, or not in memory.</param>
/// <param name="Image">What of the file is in memory, by its offsets; null: not even its beginning. Section headers are rarely there.</param>
public sealed record MappedProgram(string Path, LinuxMapping Code, ulong? Bias, string? BuildId, ElfImage? Image)
{
    private const ulong PageMask = 0xfff;

    /// <summary>The bias by the program headers of the file itself; null: it has no segment that can be this mapping.</summary>
    public ulong? BiasOf(ElfImage file) => BiasOf(file, Code);

    internal static ulong? BiasOf(ElfImage file, LinuxMapping mapping)
    {
        foreach (ElfSegment segment in file.Segments)
        {
            // The kernel maps whole pages, from the one in which the segment begins (fs/binfmt_elf.c, elf_map).
            ulong first = segment.Offset & ~PageMask;
            if (segment.Type != ElfSegment.LoadType || mapping.FileOffset < first || mapping.FileOffset >= segment.Offset + segment.FileSizeBytes) continue;
            if ((segment.Flags & 1) != 0 != mapping.IsExecutable) continue;
            return mapping.Start - (mapping.FileOffset - first) - (segment.Address & ~PageMask);
        }
        return null;
    }
}
