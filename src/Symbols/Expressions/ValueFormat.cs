namespace Symbols.Expressions;

/// <summary>How a value is to be shown: what follows an expression's last comma.</summary>
public enum ValueRadix
{
    /// <summary>As its type says.</summary>
    Natural,
    /// <summary><c>,x</c></summary>
    Hexadecimal,
    /// <summary><c>,d</c></summary>
    Decimal,
    /// <summary><c>,o</c></summary>
    Octal,
    /// <summary><c>,b</c></summary>
    Binary,
    /// <summary><c>,c</c></summary>
    Character,
    /// <summary><c>,s</c>: what a pointer or array of characters spells.</summary>
    Text,
}

/// <summary>How a value is to be shown.</summary>
/// <param name="Radix">Of its numbers.</param>
/// <param name="Count">A pointer is shown as that many elements (<c>,[8]</c>, <c>,8</c>); null: as a pointer.</param>
/// <param name="IsRaw">Without the printers of types (<c>,!</c>, <c>,r</c>).</param>
public readonly record struct ValueFormat(ValueRadix Radix, ulong? Count = null, bool IsRaw = false);
