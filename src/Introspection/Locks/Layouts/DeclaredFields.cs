using System.Collections.Generic;
using Introspection.Linux;
using Symbols.Types;

namespace Introspection.Locks.Layouts;

/// <summary>Where a declared number is in its structure.</summary>
/// <param name="Offset">In bytes.</param>
/// <param name="SizeBytes">1, 2, 4 or 8.</param>
internal readonly record struct PlacedField(long Offset, int SizeBytes);

/// <summary>Finds declared fields: where the guest's types have the named member, else where the declaration says.</summary>
/// <param name="types">Of the guest; null: it has none.</param>
/// <param name="problems">Takes a sentence for each that is not found.</param>
internal sealed class DeclaredFields(ITypeCatalog? types, List<string> problems)
{
    private readonly KernelLayout? _layout = types is null ? null : new KernelLayout(types);

    /// <summary>Null: it is not declared, or its member is unknown.</summary>
    public PlacedField? Place(string? structure, MemoryField? field)
    {
        if (field is null) return null;
        if (field.Member is not { } member) return new PlacedField(field.Offset, field.SizeBytes);
        if (structure is not null && _layout?.Field(structure, member) is { SizeBytes: 1 or 2 or 4 or 8 } found)
            return new PlacedField((long)found.Offset, field.Bytes ?? found.SizeBytes);
        problems.Add(structure is null ? $"Member '{member}' is declared without a structure." : $"The guest's types have no number '{member}' in '{structure}'.");
        return null;
    }

    /// <summary>Where an array of anything is: its offset, the bytes of an element and how many there are, 0 where only a declaration can tell. Null: its member is unknown.</summary>
    public (long Offset, int ElementBytes, int Count)? PlaceArray(string? structure, MemoryField field)
    {
        if (field.Member is not { } member) return (field.Offset, 0, 0);
        if (structure is not null && _layout?.Field(structure, member) is { } found) return ((long)found.Offset, found.Count > 0 ? found.SizeBytes / found.Count : 0, found.Count);
        problems.Add($"The guest's types have no '{member}' in '{structure}'.");
        return null;
    }

    /// <summary>Bytes of a structure; null: unknown.</summary>
    public ulong? SizeOf(string? structure) => structure is null ? null : _layout?.SizeOf(structure);
}
