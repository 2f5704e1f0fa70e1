using System;
using System.Collections.Generic;
using System.Text;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>Reads an expression: C's grammar by recursive descent, operators by their precedence (C17 6.5).</summary>
internal sealed class Parser
{
    // What is worked out goes as deep as there are nodes.
    private const int MaximumNodes = 512;

    private static readonly Dictionary<string, (Operator Operator, int Strength)> s_operators = new()
    {
        ["||"] = (Operator.LogicalOr, 1), ["&&"] = (Operator.LogicalAnd, 2), ["|"] = (Operator.Or, 3), ["^"] = (Operator.ExclusiveOr, 4), ["&"] = (Operator.And, 5),
        ["=="] = (Operator.Equal, 6), ["!="] = (Operator.NotEqual, 6), ["<="] = (Operator.LessOrEqual, 7), [">="] = (Operator.GreaterOrEqual, 7), ["<"] = (Operator.Less, 7),
        [">"] = (Operator.Greater, 7), ["<<"] = (Operator.ShiftLeft, 8), [">>"] = (Operator.ShiftRight, 8), ["+"] = (Operator.Add, 10), ["-"] = (Operator.Subtract, 10),
        ["*"] = (Operator.Multiply, 11), ["/"] = (Operator.Divide, 11), ["%"] = (Operator.Remainder, 11),
    };

    // gdb's @ is weaker than + and stronger than <<.
    private const int RepeatStrength = 9;

    private readonly TokenCursor _cursor;
    private readonly IExpressionEnvironment _environment;
    private readonly TypeParser _types;
    private int _nodes;

    public Parser(string text, IExpressionEnvironment environment)
    {
        _cursor = new TokenCursor(text, environment);
        _environment = environment;
        _types = new TypeParser(_cursor, environment) { TypeOfExpression = () => new Evaluator(environment).TypeOf(Conditional()) };
    }

    public (Node Root, ValueFormat Format) ParseAll()
    {
        Node root = Assignment();
        ValueFormat format = default;
        while (_cursor.TakeSign(",")) format = Format(format);
        if (_cursor.Current.Kind != TokenKind.End) throw _cursor.NotUnderstood();
        return (root, format);
    }

    private ValueFormat Format(ValueFormat format)
    {
        Token token = _cursor.Take();
        if (token is { Kind: TokenKind.Sign, Text: "!" }) return format with { IsRaw = true };
        if (token is { Kind: TokenKind.Sign, Text: "[" })
        {
            Token count = _cursor.Take();
            _cursor.Expect("]");
            return format with { Count = CountOf(count) };
        }
        if (token.Kind == TokenKind.Number) return format with { Count = CountOf(token) };
        return token.Text switch
        {
            "x" or "X" or "h" or "H" when token.Kind == TokenKind.Name => format with { Radix = ValueRadix.Hexadecimal },
            "d" or "u" or "i" => format with { Radix = ValueRadix.Decimal },
            "o" => format with { Radix = ValueRadix.Octal },
            "b" or "t" => format with { Radix = ValueRadix.Binary },
            "c" => format with { Radix = ValueRadix.Character },
            "s" => format with { Radix = ValueRadix.Text },
            "r" => format with { IsRaw = true },
            _ => throw new ExpressionException($"',{token.Text}' is no way to show a value: ,x ,d ,o ,b ,c ,s ,r or ,[COUNT]", token.Position),
        };
    }

    private ulong CountOf(in Token token)
    {
        if (token.Kind == TokenKind.Number && NumberLiteral.Read(token, _environment.AddressSizeBytes).Literal is { IsFloat: false } number && number.Bits is > 0 and <= 1 << 20)
            return number.Bits;
        throw new ExpressionException("a number of elements from 1 to 1048576 is missing", token.Position);
    }

    private T Counted<T>(T node) where T : Node
    {
        if (++_nodes > MaximumNodes) throw new ExpressionException($"the expression has more than {MaximumNodes} parts", node.Position);
        return node;
    }

    private Node Assignment()
    {
        _cursor.Enter();
        Node left = Conditional();
        Token sign = _cursor.Current;
        if (sign.Kind == TokenKind.Sign && sign.Text is "=" or "+=" or "-=" or "*=" or "/=" or "%=" or "&=" or "|=" or "^=" or "<<=" or ">>=")
        {
            _cursor.Take();
            Operator? combined = sign.Text == "=" ? null : s_operators[sign.Text[..^1]].Operator;
            left = Counted(new AssignmentNode(sign.Position, combined, left, Assignment()));
        }
        _cursor.Leave();
        return left;
    }

    private Node Conditional()
    {
        Node condition = Binary(1);
        Token sign = _cursor.Current;
        if (!_cursor.TakeSign("?")) return condition;
        _cursor.Enter();
        Node then = Assignment();
        _cursor.Expect(":");
        Node otherwise = Conditional();
        _cursor.Leave();
        return Counted(new ConditionalNode(sign.Position, condition, then, otherwise));
    }

    private Node Binary(int minimum)
    {
        Node left = Unary();
        while (_cursor.Current is { Kind: TokenKind.Sign } sign)
        {
            if (sign.Text == "@" && RepeatStrength >= minimum)
            {
                _cursor.Take();
                left = Counted(new RepeatNode(sign.Position, left, Binary(RepeatStrength + 1)));
                continue;
            }
            if (!s_operators.TryGetValue(sign.Text, out (Operator Operator, int Strength) found) || found.Strength < minimum) break;
            _cursor.Take();
            left = Counted(new BinaryNode(sign.Position, found.Operator, left, Binary(found.Strength + 1)));
        }
        return left;
    }

    private Node Unary()
    {
        _cursor.Enter();
        Node node = UnaryInside();
        _cursor.Leave();
        return node;
    }

    private Node UnaryInside()
    {
        _cursor.Expand();
        RefuseSteps(isBefore: true);
        Token token = _cursor.Current;
        if (token.Kind == TokenKind.Sign && token.Text is "-" or "~" or "!" or "+" or "*" or "&")
        {
            _cursor.Take();
            return Counted(new UnaryNode(token.Position, token.Text[0], Unary()));
        }
        if (token is { Kind: TokenKind.Sign, Text: "(" })
        {
            int start = _cursor.At;
            _cursor.Take();
            if (_types.IsAhead())
            {
                DebugType type = _types.Parse();
                _cursor.Expect(")");
                return Counted(new CastNode(token.Position, type, Unary()));
            }
            _cursor.At = start;
        }
        if (token.Kind == TokenKind.Name && token.Text is "sizeof" or "_Alignof" or "alignof" or "__alignof__") return SizeOf();
        return Postfix(Primary());
    }

    private Node SizeOf()
    {
        Token word = _cursor.Take();
        bool isAlignment = word.Text != "sizeof";
        int start = _cursor.At;
        if (_cursor.TakeSign("(") && _types.IsAhead())
        {
            DebugType type = _types.Parse();
            _cursor.Expect(")");
            return Counted(new LiteralNode(word.Position, TypeSize.Of(type, isAlignment, _environment, word.Position)));
        }
        _cursor.At = start;
        return Counted(new SizeOfNode(word.Position, Unary(), isAlignment));
    }

    // An expression that is looked at again and again would count on. Two signs before a number, or between two operands, are only signs.
    private void RefuseSteps(bool isBefore)
    {
        Token sign = _cursor.Current, second = _cursor.Ahead(), next = _cursor.Ahead(2);
        bool isStep = sign is { Kind: TokenKind.Sign, Text: "+" or "-" } && second.Kind == TokenKind.Sign && second.Text == sign.Text && second.Position == sign.End;
        bool isOperand = next.Kind is TokenKind.Name or TokenKind.Register;
        bool isMore = next.Kind is not (TokenKind.End or TokenKind.Sign) || next.Text is "(" or "[" or "-" or "+" or "~" or "!" or "*" or "&";
        if (!isStep || (isBefore ? !isOperand : isMore)) return;
        throw new ExpressionException($"'{sign.Text}{sign.Text}' is not done by looking: write 'x {sign.Text}= 1' to change x", sign.Position, ExpressionProblem.Refused);
    }

    private Node Postfix(Node node)
    {
        while (_cursor.Current is { Kind: TokenKind.Sign or TokenKind.Number } token)
        {
            // Rust's tuples: pair.0
            if (token.Kind == TokenKind.Number)
            {
                if (token.Text[0] != '.' || !ulong.TryParse(token.Text.AsSpan(1), out _)) break;
                _cursor.Take();
                node = Counted(new MemberNode(token.Position, node, "__" + token.Text[1..], false));
            }
            else if (token.Text is "." or "->")
            {
                _cursor.Take();
                _cursor.Expand(isMember: true);
                if (_cursor.Current.Kind != TokenKind.Name) throw _cursor.Current.Kind == TokenKind.End ? _cursor.NotUnderstood()
                    : new ExpressionException("the name of a member is missing", _cursor.Current.Position);
                node = Counted(new MemberNode(token.Position, node, _cursor.Take().Text, token.Text == "->"));
            }
            else if (token.Text == "[") node = Element(node);
            else if (token.Text == "(") node = Call(node);
            else break;
        }
        RefuseSteps(isBefore: false);
        return node;
    }

    private Node Element(Node operand)
    {
        int position = _cursor.Take().Position;
        Node first = Assignment();
        if (_cursor.TakeSign(".."))
        {
            Node last = Assignment();
            _cursor.Expect("]");
            return Counted(new SliceNode(position, operand, first, last));
        }
        _cursor.Expect("]");
        return Counted(new IndexNode(position, operand, first));
    }

    private Node Call(Node function)
    {
        int position = _cursor.Take().Position;
        var arguments = new List<Node>();
        if (!_cursor.IsSign(")"))
        {
            do arguments.Add(Assignment());
            while (_cursor.TakeSign(","));
        }
        _cursor.Expect(")");
        return Counted(new CallNode(position, function, arguments));
    }

    private Node Primary()
    {
        Token token = _cursor.Current;
        switch (token.Kind)
        {
            case TokenKind.Number:
                _cursor.Take();
                return Counted(new LiteralNode(token.Position, LiteralOf(token)));
            case TokenKind.Register when token.Text.Length > 0:
                _cursor.Take();
                return Counted(new RegisterNode(token.Position, token.Text.ToLowerInvariant()));
            case TokenKind.Character when _cursor.Ahead() is { Kind: TokenKind.Sign, Text: "::" }:
                _cursor.Take();
                return Scoped(token);
            case TokenKind.Character:
                _cursor.Take();
                if (token.Text.Length != 1) throw new ExpressionException($"'{token.Text}' is not one character", token.Position);
                return Counted(new LiteralNode(token.Position, TypedValue.Of(Scalar.OfInteger(CTypes.Char, token.Text[0]))));
            case TokenKind.Text:
                return TextOf();
            case TokenKind.Name:
                return Name();
        }
        if (_cursor.TakeSign("("))
        {
            Node inner = Assignment();
            while (_cursor.Current is { Kind: TokenKind.Sign, Text: "," } comma)
            {
                _cursor.Take();
                inner = Counted(new CommaNode(comma.Position, inner, Assignment()));
            }
            _cursor.Expect(")");
            return inner;
        }
        if (_cursor.TakeSign("["))
        {
            Node address = Assignment();
            _cursor.Expect("]");
            return Counted(new LoadNode(token.Position, address, 8, false));
        }
        if (_cursor.IsSign("::") && _cursor.Ahead().Kind == TokenKind.Name)
        {
            _cursor.Take();
            return Name();
        }
        throw _cursor.NotUnderstood();
    }

    // In a macro, which the program's source has, a number is one of C's types.
    private TypedValue LiteralOf(in Token token)
    {
        TypedValue value = NumberLiteral.Read(token, _environment.AddressSizeBytes);
        return token.Macro is not null && value.Literal is { } number ? TypedValue.Of(number) : value;
    }

    private TextNode TextOf()
    {
        int position = _cursor.Current.Position;
        var bytes = new List<byte>();
        while (_cursor.Current.Kind == TokenKind.Text)
        {
            foreach (byte b in Encoding.Latin1.GetBytes(_cursor.Take().Text)) bytes.Add(b);
            _cursor.Expand();
        }
        byte[] text = [.. bytes];
        var type = new ArrayType(() => CTypes.Char, 0, (ulong)text.Length + 1);
        return Counted(new TextNode(position, TypedValue.Of(type, (byte[])[.. text, 0]), text));
    }

    private NameNode Scoped(in Token scope)
    {
        _cursor.Expect("::");
        if (_cursor.Current.Kind != TokenKind.Name) throw _cursor.NotUnderstood();
        return Counted(new NameNode(scope.Position, _cursor.Take().Text, scope.Text));
    }

    private Node Name()
    {
        Token token = _cursor.Take();
        if (LoadSize(token.Text) is > 0 and int size && !_cursor.IsSign("::"))
        {
            // A variable of that name hides the word, as far as it can be meant.
            if (_cursor.IsName("phys") || _environment.Variable(token.Text) is null) return Load(token, size);
        }
        if (_cursor.IsSign("(") && token.Text is "offsetof" or "__builtin_offsetof") return OffsetOf(token);
        if (_cursor.IsSign("(") && token.Text == "container_of") return Container(token);
        string name = token.Text, scope = "";
        while (_cursor.IsSign("::") && _cursor.Ahead().Kind == TokenKind.Name)
        {
            _cursor.Take();
            scope = name;
            name += "::" + _cursor.Take().Text;
        }
        return Counted(new NameNode(token.Position, name, scope.Length > 0 ? "" : null));
    }

    private static int LoadSize(string name) => name switch { "byte" => 1, "word" => 2, "dword" => 4, "qword" or "phys" => 8, _ => 0 };

    private Node Load(in Token word, int size)
    {
        bool isPhysical = word.Text == "phys";
        if (!isPhysical && _cursor.IsName("phys"))
        {
            _cursor.Take();
            isPhysical = true;
        }
        if (word.Text == "phys" && _cursor.IsSign(":")) throw new ExpressionException("'phys:' is only for memory references; memory is read by phys[ADDRESS]", word.Position);
        if (!_cursor.TakeSign("[")) throw new ExpressionException($"'{word.Text}' needs an address in brackets: {word.Text}[rsp]", word.Position);
        Node address = Assignment();
        _cursor.Expect("]");
        return Counted(new LoadNode(word.Position, address, size, isPhysical));
    }

    private Node OffsetOf(in Token word)
    {
        _cursor.Expect("(");
        DebugType type = _types.Parse();
        _cursor.Expect(",");
        (long offset, _) = _types.Designator(type);
        _cursor.Expect(")");
        return Counted(new LiteralNode(word.Position, TypedValue.Of(Scalar.OfInteger(CTypes.UnsignedLong(_environment.AddressSizeBytes), offset))));
    }

    private Node Container(in Token word)
    {
        _cursor.Expect("(");
        Node pointer = Assignment();
        _cursor.Expect(",");
        DebugType type = _types.Parse();
        _cursor.Expect(",");
        (long offset, _) = _types.Designator(type);
        _cursor.Expect(")");
        return Counted(new ContainerNode(word.Position, pointer, type, offset));
    }
}
