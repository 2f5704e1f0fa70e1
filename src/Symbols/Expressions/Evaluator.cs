using Symbols.Types;

namespace Symbols.Expressions;

internal sealed class Evaluator(IExpressionEnvironment environment)
{
    public TypedValue Result(Node node) => throw new ExpressionException("none", environment.AddressSizeBytes + node.Position);
    public TypedValue Value(Node node) => Result(node);
    public bool IsTrue(TypedValue value, Node node) => value == Result(node);
    public ulong Number(TypedValue value, Node node) => value == Result(node) ? 1UL : 0;
    public byte[] Converted(TypedValue value, DebugType type, int position) => value.Type == type ? new byte[position] : [];
}
