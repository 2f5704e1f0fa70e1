using System;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>
/// What a name means: a variable of the program first, then a register, an enumerator or macro, and at last a symbol, which is its address. A register whose name the
/// program uses is still there with a dollar sign.
/// </summary>
internal static class Names
{
    /// <exception cref="ExpressionException">It means nothing.</exception>
    public static TypedValue Find(NameNode node, IExpressionEnvironment environment)
    {
        string name = node.Name;
        if (node.Scope is { Length: > 0 } file)
            return environment.Variable(file, name) ?? throw new ExpressionException($"there is no variable '{name}' in '{file}'", node.Position);
        if (environment.Variable(name) is { } variable) return variable;
        if (node.Scope is null && Register(name, environment) is { } register) return register;
        if (Constant(name, environment) is { } constant) return constant;
        if (node.Scope is not null && Scoped(name, environment) is { } scoped) return scoped;
        if (node.Scope is null && Register(name.ToLowerInvariant(), environment) is { } anyCase) return anyCase;
        if (Member(name, environment) is { } member) return member;
        if (environment.AddressOf(name) is { } address) return TypedValue.Untyped(address);
        if (node.Scope is null && environment.Macro(name, isAnywhere: true) is { Parameters: { } parameters })
            throw new ExpressionException($"'{name}' is a macro with arguments: {name}({string.Join(", ", parameters)})", node.Position);
        throw new ExpressionException(node.Scope is null ? $"'{name}' is neither a register nor a known symbol" : $"'{name}' is not known", node.Position);
    }

    public static TypedValue? Register(string name, IExpressionEnvironment environment)
    {
        if (environment.Register(name) is not { } register) return environment.WideRegister(name);
        return TypedValue.UntypedRegister(register.Value, name, Scalar.OfInteger(CTypes.Integer(register.SizeBytes, isSigned: false), register.Value));
    }

    private static TypedValue? Constant(string name, IExpressionEnvironment environment)
    {
        if (environment.Types?.FindConstant(name) is not { } constant) return null;
        if (constant.Type is { } type) return TypedValue.Of(Scalar.OfInteger(type, (Int128)constant.Value));
        long value = (long)constant.Value;
        return TypedValue.Of(Scalar.OfInteger(value is >= int.MinValue and <= int.MaxValue ? CTypes.Int : CTypes.Long(8), value));
    }

    // function::variable, Enumeration::Enumerator.
    private static TypedValue? Scoped(string name, IExpressionEnvironment environment)
    {
        int split = name.LastIndexOf("::", StringComparison.Ordinal);
        string scope = name[..split], last = name[(split + 2)..];
        if (environment.Variable(scope, last) is { } variable) return variable;
        if ((environment.Types?.FindType(scope, TypeTag.Any) ?? environment.Types?.FindType(scope, TypeTag.Enum))?.Stripped is not EnumerationType enumeration) return null;
        foreach (Enumerator one in enumeration.Enumerators)
            if (one.Name == last) return TypedValue.Of(Scalar.OfInteger(enumeration, (Int128)one.Value));
        return null;
    }

    // A method's own members need no 'this->'.
    private static TypedValue? Member(string name, IExpressionEnvironment environment)
    {
        if (environment.Types is null || environment.Variable("this") is not { Type.Stripped: PointerType { Target.Stripped: RecordType record } pointer } self) return null;
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        return self.TryRead(environment, bytes[..(int)Math.Min(8, pointer.SizeBytes ?? 8)]) ? TypedValue.InMemory(record, BitConverter.ToUInt64(bytes)).Member(name, environment) : null;
    }
}
