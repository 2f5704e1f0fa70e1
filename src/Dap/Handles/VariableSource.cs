using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Unwinding;

namespace Dap.Handles;

/// <summary>Something that can be opened: it makes its variables when a client asks, and only those that it asks for.</summary>
/// <param name="Read">Variables from the first index on, at most so many; a source that is not <paramref name="IsPaged"/> is asked for all.</param>
/// <param name="IsPaged">The client may ask for a part of the indexed variables.</param>
internal sealed record VariableSource(Func<int, int, IReadOnlyList<Variable>> Read, bool IsPaged = false)
{
    /// <summary>Changes a variable by its name; null: they cannot be changed.</summary>
    public Func<string, ulong, bool>? Set { get; init; }

    /// <summary>An expression for a variable by its name, which an assignment changes; null: see <see cref="Set"/>.</summary>
    public Func<string, string?>? EvaluateNameOf { get; init; }

    /// <summary>Of which vCPU it shows something.</summary>
    public int CpuIndex { get; init; }

    /// <summary>Of which of its frames; null: the innermost.</summary>
    public StackLevel? Level { get; init; }

    public static VariableSource Of(Func<IReadOnlyList<Variable>> read) => new((_, _) => read());
}
