using System.Collections.Generic;
using System.Linq;
using Symbols.Types;

namespace Introspection.Programs;

/// <summary>The types of several programs as one catalog: the first that has a definition counts.</summary>
public sealed class ProgramTypes(IReadOnlyList<ITypeCatalog> catalogs, int addressSizeBytes) : ITypeCatalog
{
    public int AddressSizeBytes { get; } = addressSizeBytes;

    public DebugType? FindType(string name, TypeTag tag)
    {
        DebugType? declaration = null;
        foreach (ITypeCatalog catalog in catalogs)
        {
            DebugType? type = catalog.FindType(name, tag);
            if (type is null) continue;
            if (type.Stripped is not RecordType { IsDeclaration: true }) return type;
            declaration ??= type;
        }
        return declaration;
    }

    public Constant? FindConstant(string name)
    {
        foreach (ITypeCatalog catalog in catalogs)
            if (catalog.FindConstant(name) is { } constant) return constant;
        return null;
    }

    public MacroDefinition? FindMacro(string name)
    {
        foreach (ITypeCatalog catalog in catalogs)
            if (catalog.FindMacro(name) is { } macro) return macro;
        return null;
    }

    public IEnumerable<string> TypeNames(string prefix, int limit) => catalogs.SelectMany(catalog => catalog.TypeNames(prefix, limit)).Distinct().Take(limit);
}
