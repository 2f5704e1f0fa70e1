using System;
using System.Collections.Generic;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>A member of a record as it is shown.</summary>
/// <param name="Name">Null: it has none of its own.</param>
/// <param name="Value">Of it.</param>
/// <param name="IsBase">A C++ base class.</param>
internal readonly record struct RecordPart(string? Name, TypedValue Value, bool IsBase)
{
    private const int MaximumDepth = 16, MaximumParts = 4096;

    /// <summary>All members: those of anonymous structures and unions stand among the outer ones; of a variant, only those that the record has now.</summary>
    public static List<RecordPart> Of(ValueRenderer renderer, RecordType record, TypedValue value)
    {
        var parts = new List<RecordPart>();
        Add(parts, renderer, record, value, 0);
        return parts;
    }

    private static void Add(List<RecordPart> parts, ValueRenderer renderer, RecordType record, TypedValue value, int depth)
    {
        Add(parts, renderer, record.Members, value, depth);
        if (value.Variant(record, renderer.Environment) is { } variant) Add(parts, renderer, variant.Members, value, depth);
    }

    private static void Add(List<RecordPart> parts, ValueRenderer renderer, IReadOnlyList<RecordMember> members, TypedValue value, int depth)
    {
        foreach (RecordMember member in members)
        {
            if (parts.Count >= MaximumParts) return;
            // Padding between bit-fields has neither a name nor a meaning.
            if (member.Name is null && member.IsBitField) continue;
            TypedValue part = value.Part(member, renderer.Environment);
            if (member.Name is null && !member.IsBase && depth < MaximumDepth && renderer.Definition(member.Type) is RecordType inner) Add(parts, renderer, inner, part, depth + 1);
            else parts.Add(new RecordPart(member.IsBase ? $"<{TypeText.Of(member.Type)}>" : member.Name, part, member.IsBase));
        }
    }
}
