namespace Symbols.Dwarf.Entries;

/// <summary>Attributes of an entry, or of the ones that it refers to by DW_AT_abstract_origin or DW_AT_specification (DWARF 5, 2.13 and 3.3.8).</summary>
internal static class EntryAttributes
{
    // A chain is: concrete copy -> abstract instance -> declaration. Anything longer is a cycle.
    private const int MaximumDepth = 16;

    /// <summary>The first one of that name in the chain, with the unit that its form means something in; not present: (default, the entry's unit).</summary>
    internal static (AttributeValue Value, DebugUnit Unit) Find(DieReference place, DwAt name, DwAt otherwise = DwAt.None)
    {
        DieReference? current = place;
        for (int i = 0; i < MaximumDepth && current is { } entry; i++)
        {
            DieCursor cursor = entry.Unit.CursorAt(entry.Offset);
            if (!cursor.MoveNext()) break;
            if (cursor.Attribute(name) is { IsPresent: true } value) return (value, entry.Unit);
            if (otherwise != DwAt.None && cursor.Attribute(otherwise) is { IsPresent: true } other) return (other, entry.Unit);
            current = Origin(ref cursor, entry.Unit);
        }
        return (default, place.Unit);
    }

    /// <summary>The entry that this one refers to as its origin or declaration; null: none.</summary>
    internal static DieReference? Origin(ref DieCursor cursor, DebugUnit unit)
    {
        AttributeValue origin = cursor.Attribute(DwAt.AbstractOrigin);
        if (!origin.IsPresent) origin = cursor.Attribute(DwAt.Specification);
        return origin.IsPresent && unit.Resolve(origin) is ({ } target, var offset) ? new DieReference(target, offset) : null;
    }
}
