using System;
using System.Globalization;
using Introspection.Programs;

namespace Dap.Expressions;

/// <summary>What an expression comes to.</summary>
/// <param name="Number">Its value, 64 bits, unsigned.</param>
/// <param name="Place">Where in memory it was read, when the whole expression is a memory operand.</param>
/// <param name="SizeBytes">Size of that operand, or 8.</param>
internal readonly record struct ExpressionValue(ulong Number, MemoryPlace? Place, int SizeBytes);

/// <summary>An expression that cannot be worked out; the message is a sentence.</summary>
internal sealed class ExpressionException(string message) : Exception(message);

/// <summary>
/// Arithmetic over registers and memory, as in C with unsigned 64-bit numbers. <c>rax</c> or <c>$rax</c>; 10 and 0x10; <c>[rsp+8]</c>, <c>qword[..]</c>, <c>dword</c>,
/// <c>word</c>, <c>byte</c>, and <c>phys[..]</c> or <c>dword phys[..]</c> for guest-physical memory; symbols by name.
/// A recursive-descent parser that computes as it goes.
/// </summary>
internal sealed class Expression
{
    private const int MaximumDepth = 64;

    // From the weakest to the strongest.
    private static readonly string[][] s_operators =
        [["||"], ["&&"], ["|"], ["^"], ["&"], ["==", "!="], ["<=", ">=", "<", ">"], ["<<", ">>"], ["+", "-"], ["*", "/", "%"]];

    private readonly string _text;
    private readonly GuestView _view;
    private readonly ISymbolSource _symbols;
    private int _at, _depth;

    private Expression(string text, in GuestView view, ISymbolSource symbols)
    {
        _text = text;
        _view = view;
        _symbols = symbols;
    }

    /// <exception cref="ExpressionException">It is not an expression, or reads what is not there.</exception>
    public static ExpressionValue Evaluate(string text, in GuestView view, ISymbolSource symbols)
    {
        var parser = new Expression(text, view, symbols);
        ExpressionValue value = parser.Binary(0);
        parser.SkipBlanks();
        if (parser._at < text.Length) throw new ExpressionException($"'{text[parser._at..]}' is not understood here");
        return value;
    }

    private ExpressionValue Binary(int level)
    {
        if (level == s_operators.Length) return Unary();
        ExpressionValue left = Binary(level + 1);
        while (TakeOperator(s_operators[level]) is { } symbol) left = Plain(Apply(symbol, left.Number, Binary(level + 1).Number));
        return left;
    }

    private static ulong Apply(string symbol, ulong a, ulong b)
    {
        if (symbol is "/" or "%" && b == 0) throw new ExpressionException("division by zero");
        return symbol switch
        {
            "||" => a != 0 || b != 0 ? 1UL : 0,
            "&&" => a != 0 && b != 0 ? 1UL : 0,
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "==" => a == b ? 1UL : 0,
            "!=" => a != b ? 1UL : 0,
            "<=" => a <= b ? 1UL : 0,
            ">=" => a >= b ? 1UL : 0,
            "<" => a < b ? 1UL : 0,
            ">" => a > b ? 1UL : 0,
            "<<" => b > 63 ? 0 : a << (int)b,
            ">>" => b > 63 ? 0 : a >> (int)b,
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            _ => a % b,
        };
    }

    private ExpressionValue Unary()
    {
        if (++_depth > MaximumDepth) throw new ExpressionException("too many brackets or signs inside each other");
        SkipBlanks();
        ExpressionValue value = Peek switch
        {
            '-' => Plain(0 - Next().Number),
            '~' => Plain(~Next().Number),
            '!' => Plain(Next().Number == 0 ? 1UL : 0),
            '+' => Plain(Next().Number),
            '*' => Load(new MemoryPlace(Next().Number), 8),
            _ => Primary(),
        };
        _depth--;
        return value;
    }

    private ExpressionValue Next()
    {
        _at++;
        return Unary();
    }

    private ExpressionValue Primary()
    {
        if (Peek == '(') return Plain(Bracketed(')'));
        if (Peek == '[') return Load(new MemoryPlace(Bracketed(']')), 8);
        if (Peek == '$') _at++;
        if (char.IsAsciiDigit(Peek)) return Plain(Number());
        string name = Word();
        if (name.Length == 0) throw new ExpressionException(_at < _text.Length ? $"'{_text[_at..]}' is not understood here" : "the expression ends too early");
        int size = name switch { "byte" => 1, "word" => 2, "dword" => 4, "qword" => 8, "phys" => 8, _ => 0 };
        if (size > 0)
        {
            SkipBlanks();
            bool isPhysical = name == "phys" || TakeWord("phys");
            SkipBlanks();
            if (name == "phys" && Peek == ':') throw new ExpressionException("'phys:' is only for memory references; memory is read by phys[ADDRESS]");
            if (Peek != '[') throw new ExpressionException($"'{name}' needs an address in brackets: {name}[rsp]");
            return Load(new MemoryPlace(Bracketed(']'), isPhysical), size);
        }
        if (RegisterFile.Get(ref _view.Vcpu.State, name.ToLowerInvariant()) is { } register) return Plain(register);
        if (_symbols.AddressOf(name) is { } address) return Plain(address);
        throw new ExpressionException($"'{name}' is neither a register nor a known symbol");
    }

    private ExpressionValue Load(MemoryPlace place, int sizeBytes) => _view.ReadNumber(place, sizeBytes) is { } value
        ? new ExpressionValue(value, place, sizeBytes)
        : throw new ExpressionException($"no memory can be read at {place}");

    private ulong Bracketed(char closing)
    {
        _at++;
        ulong value = Binary(0).Number;
        SkipBlanks();
        if (Peek != closing) throw new ExpressionException($"a '{closing}' is missing");
        _at++;
        return value;
    }

    private ulong Number()
    {
        int start = _at;
        while (char.IsAsciiLetterOrDigit(Peek) || Peek == '_') _at++;
        string digits = _text[start.._at].Replace("_", "", StringComparison.Ordinal);
        bool isHexadecimal = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (ulong.TryParse(isHexadecimal ? digits[2..] : digits, isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture,
            out ulong value)) return value;
        throw new ExpressionException($"'{digits}' is not a number of at most 64 bits");
    }

    private string Word()
    {
        int start = _at;
        while (char.IsAsciiLetterOrDigit(Peek) || Peek == '_') _at++;
        return _text[start.._at];
    }

    private bool TakeWord(string word)
    {
        int start = _at;
        if (Word() == word) return true;
        _at = start;
        return false;
    }

    private string? TakeOperator(string[] operators)
    {
        SkipBlanks();
        foreach (string symbol in operators)
        {
            if (!_text.AsSpan(_at).StartsWith(symbol, StringComparison.Ordinal)) continue;
            // '&' is not the beginning of '&&', nor '<' of '<<'.
            char after = _at + symbol.Length < _text.Length ? _text[_at + symbol.Length] : ' ';
            if (symbol.Length == 1 && (symbol[0] is '&' or '|' or '<' or '>') && after == symbol[0]) continue;
            _at += symbol.Length;
            return symbol;
        }
        return null;
    }

    private char Peek => _at < _text.Length ? _text[_at] : '\0';

    private void SkipBlanks()
    {
        while (char.IsWhiteSpace(Peek)) _at++;
    }

    private static ExpressionValue Plain(ulong number) => new(number, null, 8);
}
