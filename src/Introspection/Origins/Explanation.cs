using System;
using System.Collections.Generic;

namespace Introspection.Origins;

/// <summary>How one transition made a value.</summary>
/// <param name="Kind">What it did.</param>
/// <param name="Text">In words, or as an equation.</param>
/// <param name="Sources">What it was made from, as it was before the transition; the first that is no address is the main one.</param>
internal sealed record Explanation(OriginKind Kind, string Text, IReadOnlyList<SourceValue> Sources)
{
    public static Explanation End(OriginKind kind, string text) => new(kind, text, []);

    public static Explanation Constant(UInt128 value, string why) => End(OriginKind.Constant, $"{ValueLocation.Text(value)}: {why}");
}

/// <summary>Something that a value was made from.</summary>
internal readonly record struct SourceValue(ValueLocation Location, OriginRole Role);
