using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>Members by name, also those of anonymous structures and unions and of C++ base classes.</summary>
internal static class MemberFinder
{
    private const int MaximumDepth = 16;

    /// <summary>The way to a member: through what has no name of its own, the member last.</summary>
    /// <exception cref="ExpressionException">There is none.</exception>
    public static IReadOnlyList<RecordMember> Find(DebugType type, string name, IExpressionEnvironment environment, int position)
    {
        if (type.Stripped is not RecordType declared) throw new ExpressionException($"'{TypeText.Of(type)}' has no members", position);
        RecordType record = Definition(declared, environment);
        if (record.IsDeclaration) throw new ExpressionException($"what is in '{TypeText.Of(type)}' is not known", position);
        return Find(record, name, environment) ?? throw new ExpressionException($"'{TypeText.Of(type)}' has no member '{name}'", position);
    }

    /// <summary>As above; null: there is none.</summary>
    public static IReadOnlyList<RecordMember>? Find(RecordType record, string name, IExpressionEnvironment environment)
    {
        var path = new List<RecordMember>();
        return Find(record, name, environment, path) ? path : null;
    }

    /// <summary>The definition of a record of which only the name is known, if there is one.</summary>
    public static RecordType Definition(RecordType record, IExpressionEnvironment environment)
    {
        if (!record.IsDeclaration || record.Name is not { } name) return record;
        TypeTag tag = record.Kind == RecordKind.Union ? TypeTag.Union : TypeTag.Struct;
        return environment.Types?.FindType(name, tag)?.Stripped as RecordType ?? record;
    }

    private static bool Find(RecordType record, string name, IExpressionEnvironment environment, List<RecordMember> path)
    {
        if (path.Count > MaximumDepth) return false;
        if (Among(record.Members, name, environment, path)) return true;
        foreach (RecordVariant variant in record.Variants?.Variants ?? [])
            if (Among(variant.Members, name, environment, path)) return true;
        return false;
    }

    private static bool Among(IReadOnlyList<RecordMember> members, string name, IExpressionEnvironment environment, List<RecordMember> path)
    {
        foreach (RecordMember member in members)
        {
            if (member.Name != name) continue;
            path.Add(member);
            return true;
        }
        foreach (RecordMember member in members)
        {
            if ((member.Name is not null && !member.IsBase) || member.Type.Stripped is not RecordType inner) continue;
            path.Add(member);
            if (Find(Definition(inner, environment), name, environment, path)) return true;
            path.RemoveAt(path.Count - 1);
        }
        return false;
    }
}
