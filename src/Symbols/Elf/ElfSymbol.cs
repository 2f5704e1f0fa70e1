namespace Symbols.Elf;

/// <summary>STT_* (System V ABI, "Symbol Table").</summary>
public enum ElfSymbolType : byte
{
    None = 0,
    Object = 1,
    Function = 2,
    Section = 3,
    File = 4,
    Common = 5,
    ThreadLocal = 6,
    IndirectFunction = 10,
}

/// <summary>STB_*.</summary>
public enum ElfSymbolBinding : byte
{
    Local = 0,
    Global = 1,
    Weak = 2,
    Unique = 10,
}

/// <summary>One entry of a symbol table.</summary>
/// <param name="Index">Its number in its table.</param>
/// <param name="NameOffset">Where its name is in the string table.</param>
/// <param name="Address"><c>st_value</c>.</param>
/// <param name="SizeBytes"><c>st_size</c>; zero means unknown.</param>
/// <param name="Type">STT_*.</param>
/// <param name="Binding">STB_*.</param>
/// <param name="SectionIndex"><c>st_shndx</c>, the extended index already looked up.</param>
public readonly record struct ElfSymbol(
    int Index, uint NameOffset, ulong Address, ulong SizeBytes, ElfSymbolType Type, ElfSymbolBinding Binding, uint SectionIndex)
{
    /// <summary>SHN_UNDEF: the symbol is defined in another file.</summary>
    public const uint UndefinedSection = 0;

    /// <summary>SHN_ABS: a number, not an address in a section.</summary>
    public const uint AbsoluteSection = 0xfff1;

    /// <summary>SHN_LORESERVE: from here on an index is not a section, unless it came from the extended table.</summary>
    public const uint FirstReservedSection = 0xff00;

    public bool IsFunction => Type is ElfSymbolType.Function or ElfSymbolType.IndirectFunction;

    public bool IsDefined => SectionIndex != UndefinedSection;

    /// <summary>Has an address in one of the file's sections.</summary>
    public bool HasAddress => IsDefined && SectionIndex is < FirstReservedSection or > 0xffff
        && Type is ElfSymbolType.None or ElfSymbolType.Object or ElfSymbolType.Function or ElfSymbolType.IndirectFunction;

    public AddressRange Range => AddressRange.FromSize(Address, SizeBytes);
}
