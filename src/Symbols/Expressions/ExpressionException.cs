using System;

namespace Symbols.Expressions;

/// <summary>Why an expression has no value.</summary>
public enum ExpressionProblem
{
    /// <summary>It is not an expression, or never has a value with what is known: an unknown name, types that do not fit.</summary>
    Mistake,
    /// <summary>It reads what is not there now: memory, or a variable that the compiler did not keep. Elsewhere it may have a value.</summary>
    NotAvailable,
    /// <summary>It would change or run the guest where that is not allowed.</summary>
    Refused,
}

/// <summary>An expression that cannot be worked out; the message is a sentence without a full stop.</summary>
public sealed class ExpressionException(string message, int position = -1, ExpressionProblem problem = ExpressionProblem.Mistake) : Exception(message)
{
    /// <summary>Index in the text of what is wrong; -1: no place in particular.</summary>
    public int Position { get; } = position;

    public ExpressionProblem Problem { get; } = problem;
}
