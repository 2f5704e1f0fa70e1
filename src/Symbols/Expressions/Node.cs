namespace Symbols.Expressions;

internal abstract record Node(int Position);
