using System.Collections.Generic;

namespace Symbols.Expressions;

/// <summary>The words of an expression, one after the other.</summary>
internal sealed class TokenCursor(string text, IExpressionEnvironment environment)
{
    private const int MaximumDepth = 64;

    private readonly List<Token> _tokens = Lexer.Read(text);
    private readonly MacroExpander _macros = new(environment);
    private int _depth;

    public string Text { get; } = text;

    /// <summary>Index of the word that comes next, to go back to.</summary>
    public int At { get; set; }

    public Token Current => _tokens[At];

    public Token Ahead(int count = 1) => At + count < _tokens.Count ? _tokens[At + count] : _tokens[^1];

    public Token Take()
    {
        Token token = Current;
        if (token.Kind != TokenKind.End) At++;
        return token;
    }

    /// <summary>Replaces the word that comes next by what it stands for, if it is a macro.</summary>
    public void Expand(bool isMember = false) => _macros.Expand(_tokens, At, isMember);

    public bool IsSign(string sign) => Current.Kind == TokenKind.Sign && Current.Text == sign;

    public bool IsName(string name) => Current.Kind == TokenKind.Name && Current.Text == name;

    public bool TakeSign(string sign)
    {
        if (!IsSign(sign)) return false;
        At++;
        return true;
    }

    public void Expect(string sign)
    {
        if (!TakeSign(sign)) throw new ExpressionException($"a '{sign}' is missing", Current.Position);
    }

    /// <summary>Nothing can be read here.</summary>
    public ExpressionException NotUnderstood() => Current.Kind == TokenKind.End
        ? new ExpressionException("the expression ends too early", Current.Position)
        : Current.Macro is { } macro ? new ExpressionException($"'{Current.Text}' in the macro '{macro}' is not understood here", Current.Position)
        : new ExpressionException($"'{Text[Current.Position..]}' is not understood here", Current.Position);

    /// <summary>Goes one bracket or sign deeper, of a bounded number.</summary>
    public void Enter()
    {
        if (++_depth > MaximumDepth) throw new ExpressionException("too many brackets or signs inside each other", Current.Position);
    }

    public void Leave() => _depth--;
}
