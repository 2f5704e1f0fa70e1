using System;
using System.Collections.Generic;

namespace Symbols.Types;

/// <summary>A named constant of an enumeration, as the bits of its type, sign-extended to 64 where that is signed.</summary>
public readonly record struct Enumerator(string Name, ulong Value);

/// <summary>An enumeration.</summary>
public sealed class EnumerationType(string? name, ulong? sizeBytes, bool isSigned, Func<IReadOnlyList<Enumerator>> enumerators) : DebugType(name, sizeBytes)
{
    private IReadOnlyList<Enumerator>? _enumerators;

    public bool IsSigned { get; } = isSigned;

    public IReadOnlyList<Enumerator> Enumerators => _enumerators ??= enumerators();
}
