using System.Collections.Generic;
using Introspection.Linux;
using Symbols.Types;

namespace Introspection.Layouts;

/// <summary>Finds declared fields: where the guest's types have the named member, else where the declaration says. What does not agree is told, and the guest's types hold.</summary>
/// <param name="types">Of the guest; null: it has none.</param>
/// <param name="problems">Takes a sentence for each that does not agree, or is not found.</param>
internal sealed class DeclaredFields(ITypeCatalog? types, List<string> problems)
{
    private readonly KernelLayout? _layout = types is null ? null : new KernelLayout(types);

    /// <summary>The guest's types have a member.</summary>
    public bool Has(string structure, string member) => _layout?.Field(structure, member) is not null;

    /// <summary>The same field with its offset and size; null: it is not declared, or its member is unknown and there is no offset to go by.</summary>
    public MemoryField? Place(string? structure, MemoryField? field)
    {
        if (field is null || field.Member is not { } member) return field;
        if (structure is not null && _layout?.Field(structure, member) is { } found && (found.SizeBytes is 1 or 2 or 4 or 8 || field.Bytes is not null))
        {
            if (field.Offset is { } declared && declared != (long)found.Offset)
                problems.Add($"In '{structure}', '{member}' is declared at offset {declared}, and the guest's types have it at {found.Offset}, which is used.");
            return field with { Offset = (long)found.Offset, Bytes = found.SizeBytes is 1 or 2 or 4 or 8 ? found.SizeBytes : field.Bytes };
        }
        bool isTypeKnown = structure is not null && SizeOf(structure) is not null;
        if (field.Offset is { } offset)
        {
            if (isTypeKnown) problems.Add($"The guest's '{structure}' has no member '{member}'; offset {offset} is used.");
            return field;
        }
        problems.Add(structure is null ? $"Member '{member}' is declared without a structure." : isTypeKnown ? $"The guest's '{structure}' has no member '{member}' that is a number."
            : $"The guest's types have no '{structure}': where '{member}' is in it is not known.");
        return null;
    }

    /// <summary>Where an array of anything is: its offset, the bytes of an element and how many there are, 0 where only a declaration can tell. Null: its member is unknown.</summary>
    public (long Offset, int ElementBytes, int Count)? PlaceArray(string? structure, MemoryField field)
    {
        if (field.Member is not { } member) return (field.OffsetBytes, 0, 0);
        if (structure is not null && _layout?.Field(structure, member) is { } found) return ((long)found.Offset, found.Count > 0 ? found.SizeBytes / found.Count : 0, found.Count);
        problems.Add($"The guest's types have no '{member}' in '{structure}'.");
        return null;
    }

    /// <summary>Bytes of a structure; null: unknown.</summary>
    public ulong? SizeOf(string? structure) => structure is null ? null : _layout?.SizeOf(structure);
}
