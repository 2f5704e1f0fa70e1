using Introspection.Programs;
using Introspection.State;
using Introspection.Values;
using Symbols.Expressions;

namespace Dap.Sessions;

/// <summary>A breakpoint's condition. It is read once, where it is first asked about: conditions are looked at as often as they are passed.</summary>
internal sealed class Condition(string text)
{
    private CompiledExpression? _expression;

    public string Text { get; } = text;

    /// <summary>It holds. What reads memory that is not there now does not.</summary>
    public bool IsTrue(in GuestView view, SymbolSet symbols)
    {
        var environment = new GuestEnvironment(view, symbols, new FrameVariables(view, symbols));
        try
        {
            return (_expression ??= CompiledExpression.Parse(Text, environment)).IsTrue(environment);
        }
        catch (ExpressionException)
        {
            return false;
        }
    }
}
