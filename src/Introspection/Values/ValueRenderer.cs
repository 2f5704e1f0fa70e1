using Introspection.Programs;
using Symbols.Expressions;

namespace Introspection.Values;

/// <summary>Shows values.</summary>
/// <param name="environment">Whose memory is read.</param>
/// <param name="symbols">Names of addresses.</param>
public sealed class ValueRenderer(IExpressionEnvironment environment, ISymbolSource symbols)
{
    internal const int MaximumChildren = 4096;

    /// <summary>Plain numbers in decimal first.</summary>
    public bool ShowsDecimal { get; init; } = true;

    /// <summary>A value under a name.</summary>
    /// <param name="name">What it is called in the tree.</param>
    /// <param name="value">The value.</param>
    /// <param name="evaluateName">An expression for it; null: there is none.</param>
    /// <param name="format">How the user wants it.</param>
    public ValueNode Render(string name, TypedValue value, string? evaluateName = null, ValueFormat format = default) =>
        new() { Name = name, Text = $"{environment}{symbols}{format}", TypeText = "", Value = value, EvaluateName = evaluateName };
}
