namespace Symbols.Elf;

/// <summary>What the file header says (System V ABI, "ELF Header").</summary>
/// <param name="Is64">ELFCLASS64.</param>
/// <param name="Type"><c>e_type</c>: 1 relocatable, 2 executable, 3 shared, 4 core.</param>
/// <param name="Machine"><c>e_machine</c>: 3 is Intel 80386, 62 is x86-64.</param>
/// <param name="Entry"><c>e_entry</c>.</param>
/// <param name="SectionCount">Sections that are described.</param>
/// <param name="SegmentCount">Program headers that are described.</param>
public sealed record ElfHeader(bool Is64, ushort Type, ushort Machine, ulong Entry, int SectionCount, int SegmentCount)
{
    public const ushort RelocatableType = 1;
    public const ushort Intel80386 = 3;
    public const ushort X86_64 = 62;

    /// <summary>Bytes of an address.</summary>
    public int AddressSizeBytes => Is64 ? 8 : 4;
}
