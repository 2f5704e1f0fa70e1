using System;
using Symbols.Dwarf.Entries;

namespace Symbols.Dwarf.Indexing;

/// <summary>What a name of the index stands for. Flags, so that a look-up can ask for several.</summary>
[Flags]
internal enum NamedKinds : uint
{
    None = 0,
    Structure = 1,
    Union = 2,

    /// <summary>DW_TAG_class_type and DW_TAG_interface_type.</summary>
    Class = 4,
    Enumeration = 8,
    TypeDef = 0x10,

    /// <summary>DW_TAG_base_type and DW_TAG_unspecified_type.</summary>
    Base = 0x20,
    Enumerator = 0x40,

    /// <summary>A variable outside of functions that is defined here: it has a location or a value.</summary>
    Variable = 0x80,

    /// <summary>A function with code, by its name and by its mangled one.</summary>
    Function = 0x100,

    /// <summary>With one of the types: only a declaration. Kept where there is no definition.</summary>
    Declaration = 0x8000,

    AnyType = Structure | Union | Class | Enumeration | TypeDef | Base,
}

/// <summary>One entry that a name leads to.</summary>
/// <param name="Kind">One kind, perhaps with <see cref="NamedKinds.Declaration"/>.</param>
/// <param name="Unit">The unit that it is in, the other half where that was split off.</param>
/// <param name="DieOffset">Where the entry is in the unit's section.</param>
internal readonly record struct NamedEntry(NamedKinds Kind, DebugUnit Unit, ulong DieOffset)
{
    internal bool IsDeclaration => (Kind & NamedKinds.Declaration) != 0;
}
