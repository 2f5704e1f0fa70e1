using System;
using System.Collections.Generic;

namespace Symbols.Types;

/// <summary>A named constant of an enumeration, as the bits of its type, sign-extended to 64 where that is signed.</summary>
public readonly record struct Enumerator(string Name, ulong Value);

/// <summary>An enumeration.</summary>
public sealed class EnumerationType(string? name, ulong? sizeBytes, bool isSigned, Func<IReadOnlyList<Enumerator>> enumerators, bool isScoped = false)
    : DebugType(name, sizeBytes)
{
    private IReadOnlyList<Enumerator>? _enumerators;

    /// <summary>C++'s <c>enum class</c>, and Rust's: the enumerators are inside of its name.</summary>
    public bool IsScoped { get; } = isScoped;

    public bool IsSigned { get; } = isSigned;

    public IReadOnlyList<Enumerator> Enumerators => _enumerators ??= enumerators();
}
