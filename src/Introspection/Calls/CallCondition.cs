using System;
using Introspection.Programs;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>
/// A condition in C's syntax over the arguments, by name or as <c>arg0</c> to <c>arg5</c>, registers as they were at the function's first instruction, and <c>ret</c>. With <c>ret</c>
/// in it, it is asked when the call has returned: memory is as it is then.
/// </summary>
public sealed class CallCondition : ICallCondition
{
    private readonly CompiledExpression _expression;
    private readonly ISymbolSource _symbols;
    private readonly ITypeCatalog? _types;

    /// <param name="text">The expression.</param>
    /// <param name="symbols">For names that are no arguments.</param>
    /// <param name="types">For types by name; null: none are known.</param>
    /// <exception cref="ExpressionException">It is not an expression.</exception>
    public CallCondition(string text, ISymbolSource symbols, ITypeCatalog? types)
    {
        _symbols = symbols;
        _types = types;
        _expression = CompiledExpression.Parse(text, new Environment(this, default));
        NeedsResult = Mentions(text, "ret");
    }

    public bool NeedsResult { get; }

    /// <exception cref="ExpressionException">It has no value for any call, as there is no such name, or as it would change something.</exception>
    public bool Holds(in CallFacts facts)
    {
        try
        {
            return _expression.IsTrue(new Environment(this, facts));
        }
        catch (ExpressionException e) when (e.Problem == ExpressionProblem.NotAvailable)
        {
            return false;
        }
    }

    // As a word of its own, and not a member's name.
    private static bool Mentions(string text, string word)
    {
        for (int at = text.IndexOf(word, StringComparison.Ordinal); at >= 0; at = text.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            char before = at > 0 ? text[at - 1] : ' ', after = at + word.Length < text.Length ? text[at + word.Length] : ' ';
            bool isMember = before == '.' || (before == '>' && at > 1 && text[at - 2] == '-');
            if (!IsLetter(before) && !IsLetter(after) && !isMember) return true;
        }
        return false;
    }

    private static bool IsLetter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private sealed class Environment(CallCondition condition, CallFacts facts) : IExpressionEnvironment
    {
        public ITypeCatalog? Types => condition._types;

        public int AddressSizeBytes => facts.Registers is { CodeSize: < 64 } ? 4 : 8;

        public TypedValue? Variable(string name)
        {
            if (facts.Registers is null) return null;
            if (name == "ret") return facts.Result is { } result ? ValueOf(result) : throw new ExpressionException("the function returns nothing: there is no 'ret'");
            foreach (CallValue argument in facts.Arguments)
                if (argument.Name == name) return ValueOf(argument);
            bool isNumbered = name.Length == 4 && name.StartsWith("arg", StringComparison.Ordinal) && name[3] is >= '0' and <= '5';
            return isNumbered && name[3] - '0' < facts.Arguments.Count ? ValueOf(facts.Arguments[name[3] - '0']) : null;
        }

        public TypedValue? Variable(string scope, string name) => null;

        public RegisterValue? Register(string name) =>
            facts.Registers?.ByName(name) is { } value ? new RegisterValue(value, name[0] == 'e' ? 4 : 8) : null;

        public ulong? AddressOf(string symbol) => condition._symbols.AddressOf(symbol);

        public int Read(ulong address, bool isPhysical, Span<byte> destination) => isPhysical || facts.Memory is null ? 0 : facts.Memory.Read(address, destination);

        private static TypedValue ValueOf(CallValue value)
        {
            if (value.Type is { } type) return value.Bytes.IsEmpty ? TypedValue.Missing(type, "cannot be read") : TypedValue.Of(type, value.Bytes);
            return TypedValue.Untyped(value.Number ?? 0);
        }
    }
}
