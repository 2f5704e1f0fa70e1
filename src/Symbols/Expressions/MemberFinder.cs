using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>A member of a record, wherever inside it lies.</summary>
internal readonly record struct FoundMember(DebugType Type, ulong BitOffset, uint BitSize);

/// <summary>Members by name, also those of anonymous structures and unions and of C++ base classes.</summary>
internal static class MemberFinder
{
    private const int MaximumDepth = 16;

    /// <exception cref="ExpressionException">There is none.</exception>
    public static FoundMember Find(DebugType type, string name, IExpressionEnvironment environment, int position)
    {
        if (type.Stripped is not RecordType declared) throw new ExpressionException($"'{TypeText.Of(type)}' has no members", position);
        RecordType record = Definition(declared, environment);
        if (record.IsDeclaration) throw new ExpressionException($"what is in '{TypeText.Of(type)}' is not known", position);
        return Find(record, name, environment, 0) ?? throw new ExpressionException($"'{TypeText.Of(type)}' has no member '{name}'", position);
    }

    /// <summary>The definition of a record of which only the name is known, if there is one.</summary>
    public static RecordType Definition(RecordType record, IExpressionEnvironment environment)
    {
        if (!record.IsDeclaration || record.Name is not { } name) return record;
        TypeTag tag = record.Kind == RecordKind.Union ? TypeTag.Union : TypeTag.Struct;
        return environment.Types?.FindType(name, tag)?.Stripped as RecordType ?? record;
    }

    public static FoundMember? Find(RecordType record, string name, IExpressionEnvironment environment, int depth)
    {
        if (depth > MaximumDepth) return null;
        if (Among(record.Members, name, environment, depth) is { } found) return found;
        foreach (RecordVariant variant in record.Variants?.Variants ?? [])
            if (Among(variant.Members, name, environment, depth) is { } inVariant) return inVariant;
        return null;
    }

    private static FoundMember? Among(IReadOnlyList<RecordMember> members, string name, IExpressionEnvironment environment, int depth)
    {
        foreach (RecordMember member in members)
            if (member.Name == name) return new FoundMember(member.Type, member.BitOffset, member.BitSize);
        foreach (RecordMember member in members)
        {
            if ((member.Name is not null && !member.IsBase) || member.Type.Stripped is not RecordType inner) continue;
            if (Find(Definition(inner, environment), name, environment, depth + 1) is { } found) return found with { BitOffset = found.BitOffset + member.BitOffset };
        }
        return null;
    }
}
