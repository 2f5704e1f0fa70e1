using System;

namespace Symbols.Dwarf.Entries;

/// <summary>Names with what they are inside of: <c>ns::Class::method</c>. An entry without a name of its own has that of its origin or declaration.</summary>
internal static class EntryNames
{
    // Longer chains and deeper nestings are cycles.
    private const int MaximumDepth = 32;
    private const int MaximumLength = 1 << 14;

    /// <summary>The name with its scopes; null: it has none.</summary>
    internal static string? Qualified(DebugUnit unit, ulong dieOffset) => Qualified(new DieReference(unit, dieOffset), MaximumDepth);

    /// <summary>The name as it stands in the entry or in those that it refers to; null: it has none.</summary>
    internal static string? Simple(DieReference place) => Find(place, out _);

    private static string? Qualified(DieReference place, int depth)
    {
        if (Find(place, out DieReference last) is not { } name || depth <= 0) return null;
        string prefix = Prefix(last, depth - 1);
        return prefix.Length is 0 or > MaximumLength ? name : $"{prefix}::{name}";
    }

    private static string Prefix(DieReference place, int depth)
    {
        for (int i = 0; i < MaximumDepth && depth > 0; i++)
        {
            if (place.Unit.Scopes.Containing(place.Offset) is not { } scope) return "";
            var outer = new DieReference(place.Unit, scope.Offset);
            // What is inside of a function is nobody else's; and enumerators without enum class belong to where the enumeration is.
            if (scope.Tag == DwTag.Subprogram) return "";
            bool isSkipped = scope.Tag == DwTag.EnumerationType && !IsScoped(outer);
            if (!isSkipped && Qualified(outer, depth) is { } name) return name;
            if (!isSkipped && scope.Tag == DwTag.Namespace)
            {
                string prefix = Prefix(outer, depth - 1);
                return prefix.Length == 0 ? AnonymousNamespace : $"{prefix}::{AnonymousNamespace}";
            }
            place = outer;
        }
        return "";
    }

    /// <summary>What stands for a C++ namespace without a name.</summary>
    internal const string AnonymousNamespace = "(anonymous namespace)";

    private static bool IsScoped(DieReference place)
    {
        DieCursor cursor = place.Unit.CursorAt(place.Offset);
        return cursor.MoveNext() && cursor.Attribute(DwAt.EnumClass).Value != 0;
    }

    // The name, and the end of the chain of origins: the declaration says what it is in.
    private static string? Find(DieReference place, out DieReference last)
    {
        last = place;
        string? name = null;
        DebugUnit? unit = place.Unit;
        ulong offset = place.Offset;
        for (int i = 0; i < MaximumDepth && unit is not null; i++)
        {
            DieCursor cursor = unit.CursorAt(offset);
            if (!cursor.MoveNext()) break;
            last = new DieReference(unit, offset);
            name ??= unit.StringOf(cursor.Attribute(DwAt.Name));
            AttributeValue origin = cursor.Attribute(DwAt.AbstractOrigin);
            if (!origin.IsPresent) origin = cursor.Attribute(DwAt.Specification);
            if (!origin.IsPresent) break;
            (DebugUnit? next, offset) = unit.Resolve(origin);
            unit = next;
        }
        return name;
    }
}
