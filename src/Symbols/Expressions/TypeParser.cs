using System;
using System.Collections.Generic;
using System.Globalization;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>Names of types in C's syntax: <c>struct foo *</c>, <c>unsigned long</c>, <c>int (*)[4]</c>, <c>ns::name</c>.</summary>
internal sealed class TypeParser(TokenCursor cursor, IExpressionEnvironment environment)
{
    private const ulong MaximumCount = 1 << 30;

    private static readonly HashSet<string> s_words =
    [
        "void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool", "_Bool", "__int128", "struct", "union", "enum", "class", "const", "volatile",
        "typeof", "__typeof__", "__typeof",
    ];

    /// <summary>Reads an expression and gives its type: what <c>typeof</c> takes beside types.</summary>
    public required Func<DebugType> TypeOfExpression { get; init; }

    private int Pointer => environment.AddressSizeBytes;

    /// <summary>A type comes next, rather than a variable of that name.</summary>
    public bool IsAhead()
    {
        cursor.Expand();
        if (cursor.Current.Kind != TokenKind.Name) return false;
        if (s_words.Contains(cursor.Current.Text)) return true;
        int start = cursor.At;
        (DebugType? type, string name) = Named();
        cursor.At = start;
        return type is not null && environment.Variable(name) is null;
    }

    /// <exception cref="ExpressionException">It is no type, or one that is not known.</exception>
    public DebugType Parse()
    {
        DebugType type = Specifiers();
        return Declarator()(type);
    }

    private DebugType Specifiers()
    {
        int position = cursor.Current.Position;
        bool isConst = false, isVolatile = false, isUnsigned = false, isSigned = false;
        int longs = 0;
        string? word = null;
        DebugType? found = null;
        for (cursor.Expand(); cursor.Current.Kind == TokenKind.Name; cursor.Expand())
        {
            string text = cursor.Current.Text;
            if (text == "const") isConst = true;
            else if (text == "volatile") isVolatile = true;
            else if (text is "unsigned") isUnsigned = true;
            else if (text is "signed") isSigned = true;
            else if (text == "long") longs++;
            else if (found is null && text is "struct" or "union" or "enum" or "class")
            {
                found = Tagged();
                continue;
            }
            else if (found is null && text is "typeof" or "__typeof__" or "__typeof")
            {
                cursor.Take();
                cursor.Expect("(");
                found = IsAhead() ? Parse() : TypeOfExpression();
                cursor.Expect(")");
                continue;
            }
            else if (s_words.Contains(text)) word = word is null || text != "int" ? text : word;
            else if (found is null && word is null && longs == 0 && !isUnsigned && !isSigned)
            {
                (found, string name) = Named();
                if (found is null) throw new ExpressionException($"there is no type '{name}'", position);
                continue;
            }
            else break;
            cursor.Take();
        }
        DebugType type = found ?? Number(word, longs, isUnsigned, isSigned) ?? throw new ExpressionException("a type is missing", position);
        if (isVolatile) type = new QualifiedType(TypeQualifier.Volatile, Fixed(type));
        if (isConst) type = new QualifiedType(TypeQualifier.Const, Fixed(type));
        return type;
    }

    private static Func<DebugType> Fixed(DebugType type) => () => type;

    private DebugType? Number(string? word, int longs, bool isUnsigned, bool isSigned) => word switch
    {
        "void" => VoidType.Instance,
        "bool" or "_Bool" => CTypes.Bool,
        "float" => CTypes.Float,
        "double" => longs > 0 ? CTypes.LongDouble : CTypes.Double,
        "char" => isUnsigned ? CTypes.UnsignedChar : isSigned ? CTypes.SignedChar : CTypes.Char,
        "short" => isUnsigned ? CTypes.UnsignedShort : CTypes.Short,
        "__int128" => isUnsigned ? CTypes.UnsignedInt128 : CTypes.Int128,
        _ when longs > 1 => isUnsigned ? CTypes.UnsignedLongLong : CTypes.LongLong,
        _ when longs == 1 => isUnsigned ? CTypes.UnsignedLong(Pointer) : CTypes.Long(Pointer),
        _ when word == "int" || isUnsigned || isSigned => isUnsigned ? CTypes.UnsignedInt : CTypes.Int,
        _ => null,
    };

    private DebugType Tagged()
    {
        Token keyword = cursor.Take();
        TypeTag tag = keyword.Text switch { "union" => TypeTag.Union, "enum" => TypeTag.Enum, _ => TypeTag.Struct };
        if (cursor.Current.Kind != TokenKind.Name) throw new ExpressionException($"'{keyword.Text}' needs a name", keyword.Position);
        string name = QualifiedName();
        DebugType? type = environment.Types?.FindType(name, tag) ?? environment.Types?.FindType(name, TypeTag.Any);
        return type ?? throw new ExpressionException($"there is no type '{keyword.Text} {name}'", keyword.Position);
    }

    private string QualifiedName()
    {
        string name = cursor.Take().Text;
        while (cursor.IsSign("::") && cursor.Ahead().Kind == TokenKind.Name)
        {
            cursor.Take();
            name += "::" + cursor.Take().Text;
        }
        return name;
    }

    // With C++'s and Rust's arguments of templates, if there is such a type.
    private (DebugType? Type, string Name) Named()
    {
        int first = cursor.Current.Position;
        string name = QualifiedName();
        if (environment.Types is { } types)
        {
            if (cursor.IsSign("<") && WithArguments(types, first) is { } template) return (template, name);
            foreach (string meaning in environment.Meanings(name))
                if (types.FindType(meaning, TypeTag.Any) is { } type) return (type, name);
        }
        DebugType? usual = environment.AddressOf(name) is null ? CTypes.Usual(name, Pointer) : null;
        return (usual, name);
    }

    private DebugType? WithArguments(ITypeCatalog types, int first)
    {
        int start = cursor.At, depth = 0;
        while (cursor.Current.Kind != TokenKind.End)
        {
            Token token = cursor.Take();
            if (token.Kind != TokenKind.Sign) continue;
            depth += token.Text switch { "<" => 1, ">" => -1, ">>" => -2, _ => 0 };
            if (depth > 0) continue;
            if (cursor.IsSign("::") && cursor.Ahead().Kind == TokenKind.Name) continue;
            foreach (string meaning in environment.Meanings(cursor.Text[first..token.End]))
                if (types.FindType(meaning, TypeTag.Any) is { } type) return type;
            break;
        }
        cursor.At = start;
        return null;
    }

    // What pointers, brackets and parameters make of the type before them.
    private Func<DebugType, DebugType> Declarator()
    {
        cursor.Enter();
        var pointers = new List<PointerKind>();
        while (true)
        {
            if (cursor.TakeSign("*")) pointers.Add(PointerKind.Pointer);
            else if (cursor.TakeSign("&")) pointers.Add(PointerKind.Reference);
            else if (cursor.TakeSign("&&")) pointers.Add(PointerKind.RvalueReference);
            else if (cursor.IsName("const") || cursor.IsName("volatile") || cursor.IsName("restrict")) cursor.Take();
            else break;
            if (pointers.Count > 32) throw new ExpressionException("too many pointers to pointers", cursor.Current.Position);
        }
        Func<DebugType, DebugType>? inner = null;
        if (cursor.IsSign("(") && cursor.Ahead() is { Kind: TokenKind.Sign, Text: "*" or "&" })
        {
            cursor.Take();
            inner = Declarator();
            cursor.Expect(")");
        }
        var suffixes = new List<Func<DebugType, DebugType>>();
        while (Suffix() is { } suffix) suffixes.Add(suffix);
        cursor.Leave();
        return type =>
        {
            foreach (PointerKind kind in pointers) type = new PointerType(kind, (ulong)Pointer, Fixed(type));
            for (int i = suffixes.Count - 1; i >= 0; i--) type = suffixes[i](type);
            return inner is null ? type : inner(type);
        };
    }

    private Func<DebugType, DebugType>? Suffix()
    {
        if (cursor.TakeSign("["))
        {
            ulong? count = null;
            if (!cursor.IsSign("]"))
            {
                cursor.Expand();
                Token token = cursor.Take();
                if (token.Kind != TokenKind.Number || NumberLiteral.Read(token, Pointer).Literal is not { IsFloat: false } number || number.Bits > MaximumCount)
                    throw new ExpressionException("an array's size is a plain number here", token.Position);
                count = number.Bits;
            }
            cursor.Expect("]");
            return type => new ArrayType(Fixed(type), 0, count);
        }
        if (!cursor.IsSign("(")) return null;
        cursor.Take();
        var parameters = new List<FunctionParameter>();
        bool isVariadic = false;
        while (!cursor.IsSign(")"))
        {
            if (cursor.TakeSign(".."))
            {
                cursor.Expect(".");
                isVariadic = true;
                break;
            }
            parameters.Add(new FunctionParameter(null, Parse()));
            if (!cursor.TakeSign(",")) break;
        }
        cursor.Expect(")");
        if (parameters is [{ Type: VoidType }]) parameters.Clear();
        return type => new FunctionType(Fixed(type), () => parameters, isVariadic);
    }

    /// <summary>The offset that a path of members and elements leads to: <c>a.b[2]</c>.</summary>
    public (long OffsetBytes, DebugType Type) Designator(DebugType type)
    {
        long offset = 0;
        bool isFirst = true;
        while (true)
        {
            int position = cursor.Current.Position;
            if (isFirst || cursor.TakeSign("."))
            {
                if (cursor.Current.Kind != TokenKind.Name) throw new ExpressionException("the name of a member is missing", position);
                string name = cursor.Take().Text;
                foreach (RecordMember member in MemberFinder.Find(type, name, environment, position))
                {
                    if (member.IsBitField) throw new ExpressionException($"'{name}' is a bit-field: it has no offset in bytes", position);
                    if (member.IsVirtual) throw new ExpressionException($"'{name}' is in a virtual base class: each object has it elsewhere", position);
                    offset += (long)member.OffsetBytes;
                    type = member.Type;
                }
            }
            else if (cursor.TakeSign("["))
            {
                Token token = cursor.Take();
                if (type.Stripped is not ArrayType array) throw new ExpressionException("only arrays have elements", position);
                if (token.Kind != TokenKind.Number || NumberLiteral.Read(token, Pointer).Literal is not { IsFloat: false } index || array.Element.SizeBytes is not { } size)
                    throw new ExpressionException(string.Create(CultureInfo.InvariantCulture, $"'{token.Text}' is no plain number"), token.Position);
                cursor.Expect("]");
                offset += (long)(index.Bits * size);
                type = array.Element;
            }
            else return (offset, type);
            isFirst = false;
        }
    }
}
