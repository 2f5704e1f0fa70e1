using System.Collections.Immutable;

namespace Symbols.Expressions;

internal enum TokenKind
{
    End,
    Name,
    Register,
    Number,
    Character,
    Text,
    Sign,
}

/// <summary>A word of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Index of its first letter.</param>
/// <param name="End">Index behind its last.</param>
/// <param name="Text">A name, a sign, the digits of a number, or what a text or character spells (of a text, each character is a byte).</param>
internal readonly record struct Token(TokenKind Kind, int Position, int End, string Text)
{
    /// <summary>The macro that it comes from; null: it is in the expression itself.</summary>
    public string? Macro { get; init; }

    /// <summary>The macros that it is not replaced by, as it comes from them; null: none.</summary>
    public ImmutableHashSet<string>? Hidden { get; init; }

    /// <summary>Spaces were before it, in a macro.</summary>
    public bool HasSpaceBefore { get; init; }
}
