namespace Symbols.Expressions;

internal sealed class Parser(string text, IExpressionEnvironment environment)
{
    public (Node Root, ValueFormat Format) ParseAll() => throw new ExpressionException($"'{text}' cannot be read {environment.AddressSizeBytes}");
}
