using System;
using System.Collections.Generic;

namespace Symbols.Types;

/// <summary>A parameter of a function's type; the name is null where only the type is known.</summary>
public sealed record FunctionParameter(string? Name, DebugType Type);

/// <summary>What can be called.</summary>
public sealed class FunctionType(Func<DebugType> result, Func<IReadOnlyList<FunctionParameter>> parameters, bool isVariadic) : DebugType(null, null)
{
    private DebugType? _result;
    private IReadOnlyList<FunctionParameter>? _parameters;

    /// <summary><see cref="VoidType"/> for none.</summary>
    public DebugType Result => _result ??= result();

    public IReadOnlyList<FunctionParameter> Parameters => _parameters ??= parameters();

    /// <summary>It ends with an ellipsis.</summary>
    public bool IsVariadic { get; } = isVariadic;
}
