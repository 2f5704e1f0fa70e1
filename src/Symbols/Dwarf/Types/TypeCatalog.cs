using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Indexing;
using Symbols.Types;

namespace Symbols.Dwarf.Types;

/// <summary>A file's types and constants by name: those outside of functions, and where there is none of that name, those within.</summary>
internal sealed class TypeCatalog(DwarfInfo owner)
{
    private readonly TypeReader _reader = new(owner);

    internal TypeReader Reader => _reader;

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
        foreach (NamedEntry entry in Entries(name, KindsOf(tag)))
            if (!entry.IsDeclaration && !entry.IsLocal) return _reader.At(entry.Place);
        return null;
    }

    internal Constant? FindConstant(string name)
    {
        string simple = name[(name.LastIndexOf(':') + 1)..];
        Constant? local = null;
        foreach (NamedEntry entry in Entries(name, NamedKinds.Enumerator))
        {
            if ((entry.IsLocal && local is not null) || _reader.At(entry.Place) is not EnumerationType type) continue;
            foreach (Enumerator enumerator in type.Enumerators)
            {
                if (enumerator.Name != simple) continue;
                if (!entry.IsLocal) return new Constant(enumerator.Value, type);
                local ??= new Constant(enumerator.Value, type);
            }
        }
        return local;
    }

    private DebugType? FindExactly(string name, TypeTag tag)
    {
        NamedEntry? declared = null, local = null;
        foreach (NamedEntry entry in Entries(name, KindsOf(tag)))
        {
            if (tag == TypeTag.Any && !IsNameAlone(entry)) continue;
            if (!entry.IsDeclaration && !entry.IsLocal) return _reader.At(entry.Place);
            if (entry.IsLocal) local ??= entry;
            else declared ??= entry;
        }
        return (declared ?? local) is { } found ? _reader.At(found.Place) : null;
    }

    private List<NamedEntry> Entries(string name, NamedKinds kinds) => owner.HasUnits ? owner.Index.Find(name, kinds | NamedKinds.Local) : [];

    private static NamedKinds KindsOf(TypeTag tag) => tag switch
    {
        TypeTag.Struct => NamedKinds.Structure | NamedKinds.Class,
        TypeTag.Union => NamedKinds.Union,
        TypeTag.Enum => NamedKinds.Enumeration,
        _ => NamedKinds.AnyType,
    };

    // A class may be declared as a struct and the other way round.
    private static NamedKinds KindsOf(DwTag tag) => tag switch
    {
        DwTag.StructureType or DwTag.ClassType or DwTag.InterfaceType => NamedKinds.Structure | NamedKinds.Class,
        DwTag.UnionType => NamedKinds.Union,
        DwTag.EnumerationType => NamedKinds.Enumeration,
        _ => NamedKinds.None,
    };

    // In C, what a struct is called is no type's name.
    private static bool IsNameAlone(in NamedEntry entry) =>
        (entry.Kind & (NamedKinds.TypeDef | NamedKinds.Base)) != 0 || !entry.Unit.Attributes.Language.HasNoScopes();
}
