using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>
/// An expression in C's syntax, read once and worked out as often as wanted. Names of types are looked up when it is read; variables, registers and memory each time.
/// Beyond C: registers by name or as <c>$rax</c>, memory without types as <c>[rsp+8]</c>, <c>dword[..]</c> and <c>phys[..]</c>, slices as <c>p[0..8]</c> or
/// <c>*p@8</c>, and how to show the value after a last comma: <c>flags,x</c>.
/// </summary>
public sealed class CompiledExpression
{
    private readonly Node _root;

    private CompiledExpression(string text, Node root, ValueFormat format)
    {
        Text = text;
        _root = root;
        Format = format;
    }

    public string Text { get; }

    /// <summary>How its value is to be shown.</summary>
    public ValueFormat Format { get; }

    /// <summary>Reads an expression. The environment says which names are types.</summary>
    /// <exception cref="ExpressionException">It is not an expression.</exception>
    public static CompiledExpression Parse(string text, IExpressionEnvironment environment)
    {
        var parser = new Parser(text, environment);
        (Node root, ValueFormat format) = parser.ParseAll();
        return new CompiledExpression(text, root, format);
    }

    /// <summary>
    /// What it comes to. A scalar has been read, so that its bytes are known; a structure or array is still in memory.
    /// </summary>
    /// <exception cref="ExpressionException">It has no value there.</exception>
    public TypedValue Evaluate(IExpressionEnvironment environment) => new Evaluator(environment).Result(_root);

    /// <summary>Whether it is true there, as in C's <c>if</c>.</summary>
    /// <exception cref="ExpressionException">It has no value there.</exception>
    public bool IsTrue(IExpressionEnvironment environment)
    {
        var evaluator = new Evaluator(environment);
        return evaluator.IsTrue(evaluator.Value(_root), _root);
    }

    /// <summary>Its value as the 64 bits of a number: of an array or function, its address.</summary>
    /// <exception cref="ExpressionException">It has no value there, or one that is no number.</exception>
    public ulong Number(IExpressionEnvironment environment)
    {
        var evaluator = new Evaluator(environment);
        return evaluator.Number(evaluator.Value(_root), _root);
    }

    /// <summary>Reads and works out an expression.</summary>
    /// <exception cref="ExpressionException">It is no expression, or has no value there.</exception>
    public static TypedValue Evaluate(string text, IExpressionEnvironment environment) => Parse(text, environment).Evaluate(environment);

    /// <summary>Changes a place to a value, converted to its type.</summary>
    /// <exception cref="ExpressionException">It cannot be converted or written, or the environment does not allow it.</exception>
    public static void Assign(TypedValue place, TypedValue value, IExpressionEnvironment environment) => new Evaluator(environment).Assign(place, value, -1);

    /// <summary>Converts a value to a type as C's assignment does, to write it elsewhere.</summary>
    /// <exception cref="ExpressionException">It cannot be converted.</exception>
    public static byte[] ConvertedTo(TypedValue value, DebugType type, IExpressionEnvironment environment) => new Evaluator(environment).Converted(value, type, -1);
}
