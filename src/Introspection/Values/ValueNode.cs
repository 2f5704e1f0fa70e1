using System;
using System.Collections.Generic;
using Introspection.State;
using Symbols.Expressions;

namespace Introspection.Values;

/// <summary>A value as a tree shows it: a line, and what is in it when it is opened.</summary>
public sealed record ValueNode
{
    /// <summary>Of the variable, member or element: <c>next</c>, <c>[3]</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The value in a line.</summary>
    public required string Text { get; init; }

    /// <summary>The type in C's words.</summary>
    public required string TypeText { get; init; }

    /// <summary>The value itself; null: it is a group or a remark.</summary>
    public TypedValue? Value { get; init; }

    /// <summary>Where it is in memory, or what it points to; null: neither.</summary>
    public MemoryPlace? Place { get; init; }

    /// <summary>An expression for the same thing, wherever it is evaluated; null: there is none.</summary>
    public string? EvaluateName { get; init; }

    /// <summary>It can be changed: a scalar in memory or in a register.</summary>
    public bool IsSettable { get; init; }

    /// <summary>It can be opened.</summary>
    public bool HasChildren => Read is not null;

    /// <summary>How many elements it has, numbered from 0, that may be asked for in parts; 0: its children are named.</summary>
    public int IndexedCount { get; init; }

    /// <summary>How many children with names come before the elements; 0: none, or not known before it is opened.</summary>
    public int NamedCount { get; init; }

    internal Func<int, int, IReadOnlyList<ValueNode>>? Read { get; init; }

    /// <summary>Some of its children, the first of which has the number <paramref name="start"/>. Bounded: at most 4,096.</summary>
    public IReadOnlyList<ValueNode> Children(int start = 0, int count = int.MaxValue)
    {
        if (Read is null || start < 0 || count <= 0) return [];
        return Read(start, Math.Min(count, ValueRenderer.MaximumChildren));
    }
}
