namespace Symbols.Elf;

/// <summary>One section header (System V ABI, "Sections").</summary>
public sealed record ElfSection(
    int Index, string Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong SizeBytes, uint Link, uint Info, ulong EntrySizeBytes)
{
    public const uint SymbolTableType = 2;
    public const uint NoteType = 7;
    public const uint NoBitsType = 8;
    public const uint DynamicSymbolsType = 11;
    public const uint ExtendedIndexType = 18;
    public const ulong WriteFlag = 1;
    public const ulong AllocateFlag = 2;
    public const ulong ExecuteFlag = 4;
    public const ulong CompressedFlag = 0x800;

    /// <summary>Part of the running program's memory.</summary>
    public bool IsAllocated => (Flags & AllocateFlag) != 0;

    public bool IsExecutable => (Flags & ExecuteFlag) != 0;

    /// <summary>Where it is in memory.</summary>
    public AddressRange Range => AddressRange.FromSize(Address, SizeBytes);
}
