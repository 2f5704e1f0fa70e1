namespace Symbols.Dwarf;

/// <summary>DW_TAG_* that this reader acts on (DWARF 5, 7.5.3); all others are walked through.</summary>
internal enum DwTag : ushort
{
    None = 0,
    CompileUnit = 0x11,
    InlinedSubroutine = 0x1d,
    Subprogram = 0x2e,
    PartialUnit = 0x3c,
    SkeletonUnit = 0x4a,
}

/// <summary>DW_AT_* that this reader acts on (DWARF 5, 7.5.4).</summary>
internal enum DwAt : ushort
{
    None = 0,
    Sibling = 0x01,
    Name = 0x03,
    StatementList = 0x10,
    LowPc = 0x11,
    HighPc = 0x12,
    Language = 0x13,
    CompileDirectory = 0x1b,
    Producer = 0x25,
    AbstractOrigin = 0x31,
    DeclarationFile = 0x3a,
    DeclarationLine = 0x3b,
    External = 0x3f,
    Specification = 0x47,
    EntryPc = 0x52,
    Ranges = 0x55,
    CallColumn = 0x57,
    CallFile = 0x58,
    CallLine = 0x59,
    LinkageName = 0x6e,
    StringOffsetsBase = 0x72,
    AddressBase = 0x73,
    RangeListsBase = 0x74,
    DwoName = 0x76,
    MipsLinkageName = 0x2007,
    GnuDwoName = 0x2130,
}

/// <summary>DW_FORM_* (DWARF 5, 7.5.6) with GNU's extensions.</summary>
internal enum DwForm : ushort
{
    None = 0,
    Address = 0x01,
    Block2 = 0x03,
    Block4 = 0x04,
    Data2 = 0x05,
    Data4 = 0x06,
    Data8 = 0x07,
    String = 0x08,
    Block = 0x09,
    Block1 = 0x0a,
    Data1 = 0x0b,
    Flag = 0x0c,
    SignedData = 0x0d,
    StringPointer = 0x0e,
    UnsignedData = 0x0f,
    ReferenceAddress = 0x10,
    Reference1 = 0x11,
    Reference2 = 0x12,
    Reference4 = 0x13,
    Reference8 = 0x14,
    ReferenceUnsigned = 0x15,
    Indirect = 0x16,
    SectionOffset = 0x17,
    Expression = 0x18,
    FlagPresent = 0x19,
    StringIndex = 0x1a,
    AddressIndex = 0x1b,
    ReferenceSupplementary4 = 0x1c,
    StringSupplementary = 0x1d,
    Data16 = 0x1e,
    LineStringPointer = 0x1f,
    ReferenceSignature8 = 0x20,
    ImplicitConstant = 0x21,
    LocationListIndex = 0x22,
    RangeListIndex = 0x23,
    ReferenceSupplementary8 = 0x24,
    StringIndex1 = 0x25,
    StringIndex2 = 0x26,
    StringIndex3 = 0x27,
    StringIndex4 = 0x28,
    AddressIndex1 = 0x29,
    AddressIndex2 = 0x2a,
    AddressIndex3 = 0x2b,
    AddressIndex4 = 0x2c,
    GnuAddressIndex = 0x1f01,
    GnuStringIndex = 0x1f02,
    GnuReferenceAlternate = 0x1f20,
    GnuStringAlternate = 0x1f21,
}

/// <summary>DW_UT_* (DWARF 5, 7.5.1).</summary>
internal enum DwUnitType : byte
{
    Compile = 1,
    Type = 2,
    Partial = 3,
    Skeleton = 4,
    SplitCompile = 5,
    SplitType = 6,
}
