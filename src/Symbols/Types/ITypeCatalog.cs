using System.Collections.Generic;

namespace Symbols.Types;

/// <summary>C's kinds of names for types; Rust's and C++'s are found as <see cref="Any"/>.</summary>
public enum TypeTag
{
    /// <summary>A name alone: base types, typedefs, and, as in C++ and Rust, tags.</summary>
    Any,
    Struct,
    Union,
    Enum,
}

/// <summary>Types by name: DWARF's of one file, or BTF's.</summary>
public interface ITypeCatalog
{
    /// <summary>The first definition of that name; only a declaration if there is no definition; null: neither. Qualified names with <c>::</c>.</summary>
    DebugType? FindType(string name, TypeTag tag);

    /// <summary>The address size of the program that it describes: 4 or 8.</summary>
    int AddressSizeBytes { get; }

    /// <summary>The value of an enumerator; null: there is none of that name.</summary>
    Constant? FindConstant(string name);

    /// <summary>A macro of that name, wherever it is defined; null: there is none.</summary>
    MacroDefinition? FindMacro(string name) => null;

    /// <summary>Names of types that begin so, for completion, at most <paramref name="limit"/>.</summary>
    IEnumerable<string> TypeNames(string prefix, int limit);
}

/// <summary>A named constant with its type: the enumeration, or null where only its bits are known.</summary>
public readonly record struct Constant(ulong Value, DebugType? Type);
