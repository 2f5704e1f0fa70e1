using System;

namespace Symbols.Dwarf.Expressions;

/// <summary>
/// Evaluates the operations of a DWARF expression that call frame information uses (DWARF 5, 2.5.1 and 6.4.2): all but those
/// that need a function, a type or an object. Steps and stack are bounded: an expression can loop.
/// </summary>
public static class DwarfExpression
{
    internal const int MaximumSteps = 10_000;
    internal const int MaximumDepth = 128;

    /// <summary>The value on top of the stack at the end, or false and the reason.</summary>
    /// <param name="expression">The operations.</param>
    /// <param name="context">Registers and memory.</param>
    /// <param name="addressSizeBytes">4 or 8: how wide the stack's entries are.</param>
    /// <param name="initial">Pushed first, the CFA for register rules; null to start empty.</param>
    /// <param name="value">The result.</param>
    /// <param name="problem">One sentence; null if all went well.</param>
    public static bool TryEvaluate(
        ReadOnlySpan<byte> expression, IUnwindContext context, int addressSizeBytes, ulong? initial, out ulong value, out string? problem)
    {
        var machine = new DwarfStackMachine(expression, context, addressSizeBytes, stackalloc StackValue[MaximumDepth]);
        if (initial is { } first) machine.Push(first);
        problem = machine.Run(MaximumSteps);
        value = problem is null ? machine.Top : 0;
        return problem is null;
    }
}
