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

    /// <summary>DW_TAG_base_type, DW_TAG_unspecified_type and DW_TAG_subrange_type.</summary>
    Base = 0x20,

    /// <summary>The entry is its enumeration.</summary>
    Enumerator = 0x40,

    /// <summary>A variable outside of functions, or a static member.</summary>
    Variable = 0x80,

    /// <summary>A function with code, by its name, its mangled one and its qualified one.</summary>
    Function = 0x100,

    /// <summary>Copies of the function are inlined into the one that is the entry.</summary>
    Inlined = 0x200,

    /// <summary>With one of the types: it is declared within a function, and has no name outside.</summary>
    Local = 0x4000,

    /// <summary>With a type or variable: only a declaration. Kept where there is no definition; of a variable, it has neither a location nor a value.</summary>
    Declaration = 0x8000,

    AnyType = Structure | Union | Class | Enumeration | TypeDef | Base,
}

/// <summary>One entry that a name leads to.</summary>
/// <param name="Kind">One kind, perhaps with <see cref="NamedKinds.Declaration"/> and <see cref="NamedKinds.Local"/>.</param>
/// <param name="Unit">The unit that it is in, the other half where that was split off.</param>
/// <param name="DieOffset">Where the entry is in the unit's section.</param>
internal readonly record struct NamedEntry(NamedKinds Kind, DebugUnit Unit, ulong DieOffset)
{
    internal bool IsDeclaration => (Kind & NamedKinds.Declaration) != 0;

    internal bool IsLocal => (Kind & NamedKinds.Local) != 0;

    internal DieReference Place => new(Unit, DieOffset);
}
