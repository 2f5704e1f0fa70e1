using Introspection.Programs;
using Introspection.State;
using Symbols.Expressions;

namespace Introspection.Origins;

/// <summary>What a user means by the value whose origin is asked for.</summary>
public static class OriginTarget
{
    private const int DefaultSizeBytes = 8;

    /// <summary>A register, or an expression for something in memory or in a register; a symbol without a type stands for the object at its address.</summary>
    /// <param name="text">As written.</param>
    /// <param name="sizeBytes">How many bytes; null: as many as it has.</param>
    /// <param name="view">The vCPU.</param>
    /// <param name="environment">What names mean.</param>
    /// <param name="symbols">Sizes of symbols.</param>
    /// <exception cref="ExpressionException">It is no expression, or nothing that could be followed.</exception>
    public static ValueLocation Parse(string text, int? sizeBytes, GuestView view, IExpressionEnvironment environment, ISymbolSource symbols)
    {
        string trimmed = text.Trim();
        // A program's variable comes before a register of its name, as everywhere.
        if (environment.Variable(trimmed) is null && ValueLocation.Register(view.Vcpu.Index, trimmed.TrimStart('$')) is { } named) return named;
        TypedValue value = CompiledExpression.Evaluate(trimmed, environment);
        if (value.Register is { } name && ValueLocation.Register(view.Vcpu.Index, name) is { } register) return register;
        if (value.Unavailable is { } reason) throw new ExpressionException($"'{trimmed}' has no value here: {reason}", -1, ExpressionProblem.NotAvailable);
        if (value.Address is { } address) return MemoryAt(view, new MemoryPlace(address, value.IsPhysical), sizeBytes ?? value.SizeBytes);
        if (!value.IsUntyped) throw new ExpressionException($"'{trimmed}' is computed, and is nowhere: ask for one of its parts", -1, ExpressionProblem.NotAvailable);
        ulong number = CompiledExpression.Parse(trimmed, environment).Number(environment);
        return MemoryAt(view, new MemoryPlace(number), sizeBytes ?? (int?)symbols.SizeOf(trimmed) ?? DefaultSizeBytes);
    }

    /// <summary>Memory by its address.</summary>
    /// <exception cref="ExpressionException">There is none, or too much is asked for at once.</exception>
    public static ValueLocation MemoryAt(in GuestView view, in MemoryPlace place, long sizeBytes)
    {
        if (sizeBytes is < 1 or > ValueLocation.MaximumSizeBytes)
        {
            throw new ExpressionException($"{sizeBytes} bytes cannot be followed at once: name 1 to {ValueLocation.MaximumSizeBytes} of them, such as one member", -1,
                ExpressionProblem.NotAvailable);
        }
        return ValueLocation.At(view, place, (int)sizeBytes)
            ?? throw new ExpressionException($"there is no memory at {place}, or not {sizeBytes} bytes in a row", -1, ExpressionProblem.NotAvailable);
    }
}
