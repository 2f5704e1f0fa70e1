using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Types;

namespace Symbols.Dwarf.Types;

/// <summary>A file's types and constants by name.</summary>
internal sealed class TypeCatalog(DwarfInfo owner)
{
    private readonly TypeReader _reader = new(owner);
    private DeclarationIndex? _index;

    internal TypeReader Reader => _reader;

    internal DeclarationIndex Index => _index ??= new DeclarationIndex(owner.Units);

    internal DebugType? Find(string name, TypeTag tag)
    {
        if (FindExactly(name, tag) is { } exact) return exact;
        if (tag != TypeTag.Any) return null;
        foreach (string other in IntegerSpelling.Names(name))
            if (FindExactly(other, tag) is { } type) return type;
        return null;
    }

    /// <summary>The definition of what is only declared elsewhere.</summary>
    internal DebugType? FindDefinition(string name, DwTag tag)
    {
        foreach (Declaration declaration in Index.Find(name))
            if (!declaration.IsDeclaration && IsSame(declaration.Tag, tag)) return _reader.At(declaration.Place);
        return null;
    }

    internal Constant? FindConstant(string name)
    {
        foreach (Declaration declaration in Index.Find(name))
        {
            if (declaration.Tag != DwTag.Enumerator || _reader.At(declaration.Place) is not EnumerationType type) continue;
            string simple = name[(name.LastIndexOf(':') + 1)..];
            foreach (Enumerator enumerator in type.Enumerators)
                if (enumerator.Name == simple) return new Constant(enumerator.Value, type);
        }
        return null;
    }

    private DebugType? FindExactly(string name, TypeTag tag)
    {
        Declaration? declared = null;
        foreach (Declaration declaration in Index.Find(name))
        {
            if (!declaration.IsType || !Matches(declaration, tag)) continue;
            if (!declaration.IsDeclaration) return _reader.At(declaration.Place);
            declared ??= declaration;
        }
        return declared is { } found ? _reader.At(found.Place) : null;
    }

    private static bool IsRecord(DwTag tag) => tag is DwTag.StructureType or DwTag.ClassType;

    // A class may be declared as a struct and the other way round.
    private static bool IsSame(DwTag one, DwTag other) => one == other || (IsRecord(one) && IsRecord(other));

    private static bool Matches(in Declaration declaration, TypeTag tag) => tag switch
    {
        TypeTag.Struct => IsRecord(declaration.Tag),
        TypeTag.Union => declaration.Tag == DwTag.UnionType,
        TypeTag.Enum => declaration.Tag == DwTag.EnumerationType,
        // In C, what a struct is called is no type's name.
        _ => !(IsRecord(declaration.Tag) || declaration.Tag is DwTag.UnionType or DwTag.EnumerationType)
            || !declaration.Place.Unit.Attributes.Language.HasNoScopes(),
    };
}
