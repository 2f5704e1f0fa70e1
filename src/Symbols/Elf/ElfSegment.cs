namespace Symbols.Elf;

/// <summary>One program header (System V ABI, "Program Header"). Type 1 is PT_LOAD, 4 is PT_NOTE.</summary>
public sealed record ElfSegment(
    uint Type, uint Flags, ulong Offset, ulong Address, ulong PhysicalAddress, ulong FileSizeBytes, ulong MemorySizeBytes, ulong Alignment)
{
    public const uint LoadType = 1;
    public const uint NoteType = 4;
}
