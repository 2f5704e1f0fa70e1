using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Text;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>
/// Replaces names of macros by what they stand for, as C's preprocessor does (C17 6.10.3): words, not values, so that <c>TWO * 2</c> is 3 where TWO is <c>1 + 1</c>.
/// A macro is not replaced inside of what it stands for itself. A variable of the program that has a macro's name stays what it is.
/// </summary>
internal sealed class MacroExpander(IExpressionEnvironment environment)
{
    private const int MaximumWords = 1 << 13;

    // Words that are read as what they are, whatever a header defines them as.
    private static readonly HashSet<string> s_own =
    [
        "sizeof", "_Alignof", "alignof", "__alignof__", "typeof", "__typeof__", "__typeof", "offsetof", "__builtin_offsetof", "container_of", "struct", "union", "enum", "class",
    ];

    private int _words;

    /// <summary>Replaces the word there as long as it is a macro.</summary>
    /// <param name="tokens">All words.</param>
    /// <param name="at">Which one.</param>
    /// <param name="isMember">It is the name of a member: only a macro that holds where the expression stands can be meant.</param>
    /// <exception cref="ExpressionException">A macro is used in a way that it cannot be.</exception>
    public void Expand(List<Token> tokens, int at, bool isMember)
    {
        while (at < tokens.Count && tokens[at].Kind == TokenKind.Name && Find(tokens, at, isMember) is { } macro)
        {
            Token name = tokens[at];
            ImmutableHashSet<string> hidden = (name.Hidden ?? []).Add(macro.Name);
            List<Token> body = Words(macro, name.Position);
            int count = 1;
            if (macro.Parameters is { } parameters)
            {
                List<List<Token>> arguments = Arguments(tokens, at, parameters, name, out count);
                hidden = (name.Hidden ?? []).Intersect(tokens[at + count - 1].Hidden ?? []).Add(macro.Name);
                body = Substitute(body, parameters, arguments, macro);
            }
            body = Pasted(body, macro);
            _words += body.Count;
            if (_words > MaximumWords) throw new ExpressionException($"the macro '{macro.Name}' comes to more than {MaximumWords} words", name.Position);
            tokens.RemoveRange(at, count);
            for (int i = 0; i < body.Count; i++)
            {
                Token word = body[i];
                tokens.Insert(at + i, word with { Position = name.Position, End = name.End, Hidden = (word.Hidden ?? []).Union(hidden) });
            }
        }
    }

    private MacroDefinition? Find(List<Token> tokens, int at, bool isMember)
    {
        string name = tokens[at].Text;
        if (s_own.Contains(name) || tokens[at].Hidden?.Contains(name) == true) return null;
        MacroDefinition? macro = environment.Macro(name, isAnywhere: false);
        bool isHere = macro is not null;
        if (!isHere && !isMember) macro = environment.Macro(name, isAnywhere: true);
        if (macro is null) return null;
        bool isCalled = at + 1 < tokens.Count && tokens[at + 1] is { Kind: TokenKind.Sign, Text: "(" };
        if (macro.Parameters is not null && !isCalled) return null;
        if (isMember) return macro;
        if (environment.Variable(name) is not null) return null;
        return isHere || !IsKnown(name) ? macro : null;
    }

    // Of another file: only what would mean nothing else.
    private bool IsKnown(string name) => environment.Register(name.ToLowerInvariant()) is not null || environment.AddressOf(name) is not null
        || environment.Types is { } types && (types.FindConstant(name) is not null || types.FindType(name, TypeTag.Any) is not null);

    private static List<Token> Words(MacroDefinition macro, int position)
    {
        try
        {
            List<Token> words = Lexer.Read(macro.Body);
            words.RemoveAt(words.Count - 1);
            for (int i = 0; i < words.Count; i++)
            {
                bool hasSpace = i > 0 && words[i].Position > words[i - 1].End;
                words[i] = words[i] with { Macro = macro.Name, HasSpaceBefore = hasSpace };
            }
            return words;
        }
        catch (ExpressionException e)
        {
            throw new ExpressionException($"the macro '{macro.Name}' cannot be read: {e.Message}", position);
        }
    }

    private static List<List<Token>> Arguments(List<Token> tokens, int at, IReadOnlyList<string> parameters, in Token name, out int count)
    {
        var arguments = new List<List<Token>> { new() };
        bool isVariadic = parameters.Count > 0 && parameters[^1].EndsWith("...", StringComparison.Ordinal);
        int depth = 1, i = at + 2;
        for (; i < tokens.Count && tokens[i].Kind != TokenKind.End; i++)
        {
            Token token = tokens[i];
            string sign = token.Kind == TokenKind.Sign ? token.Text : "";
            if (sign == "(") depth++;
            if (sign == ")" && --depth == 0) break;
            bool isRest = isVariadic && arguments.Count >= parameters.Count;
            if (sign == "," && depth == 1 && !isRest) arguments.Add([]);
            else arguments[^1].Add(token with { HasSpaceBefore = arguments[^1].Count > 0 && (token.HasSpaceBefore || token.Position > tokens[i - 1].End) });
        }
        if (depth > 0) throw new ExpressionException($"a ')' is missing behind the arguments of the macro '{name.Text}'", name.Position);
        count = i - at + 1;
        if (parameters.Count == 0 && arguments is [{ Count: 0 }]) arguments.Clear();
        if (isVariadic && arguments.Count == parameters.Count - 1) arguments.Add([]);
        if (arguments.Count != parameters.Count)
            throw new ExpressionException($"the macro '{name.Text}' takes {parameters.Count} arguments, not {arguments.Count}", name.Position);
        return arguments;
    }

    private List<Token> Substitute(List<Token> body, IReadOnlyList<string> parameters, List<List<Token>> arguments, MacroDefinition macro)
    {
        var result = new List<Token>();
        for (int i = 0; i < body.Count; i++)
        {
            Token word = body[i];
            if (IsSign(word, "#") && i + 1 < body.Count && IndexOf(body[i + 1]) is >= 0 and var spelled)
            {
                result.Add(word with { Kind = TokenKind.Text, Text = Spelled(arguments[spelled]) });
                i++;
                continue;
            }
            if (IndexOf(word) is not (>= 0 and var index))
            {
                result.Add(word);
                continue;
            }
            List<Token> argument = arguments[index];
            bool isPasted = (i > 0 && IsSign(body[i - 1], "##")) || (i + 1 < body.Count && IsSign(body[i + 1], "##"));
            // GNU: a comma before ## and no further arguments goes away.
            if (isPasted && argument.Count == 0 && result.Count >= 2 && IsSign(result[^1], "##") && IsSign(result[^2], ",")) result.RemoveRange(result.Count - 2, 2);
            else if (isPasted) result.AddRange(argument.Count > 0 ? argument : [word with { Kind = TokenKind.Name, Text = "" }]);
            else result.AddRange(Expanded(argument));
            if (result.Count > MaximumWords) throw new ExpressionException($"the macro '{macro.Name}' comes to more than {MaximumWords} words", word.Position);
        }
        return result;

        int IndexOf(in Token word)
        {
            if (word.Kind != TokenKind.Name) return -1;
            for (int i = 0; i < parameters.Count; i++)
                if (parameters[i] == word.Text || parameters[i] == word.Text + "..." || (parameters[i] == "..." && word.Text == "__VA_ARGS__")) return i;
            return -1;
        }
    }

    // Arguments are replaced before they are put in their places.
    private List<Token> Expanded(List<Token> argument)
    {
        var copy = new List<Token>(argument);
        for (int i = 0; i < copy.Count; i++) Expand(copy, i, i > 0 && (IsSign(copy[i - 1], ".") || IsSign(copy[i - 1], "->")));
        return copy;
    }

    private static List<Token> Pasted(List<Token> body, MacroDefinition macro)
    {
        for (int i = 1; i + 1 < body.Count; i++)
        {
            if (!IsSign(body[i], "##")) continue;
            // A comma before further arguments is only that.
            string text = body[i - 1].Text + body[i + 1].Text;
            List<Token> made = IsSign(body[i - 1], ",") ? [body[i - 1], body[i + 1]] : Lexer.Read(text);
            if (!IsSign(body[i - 1], ",")) made.RemoveAt(made.Count - 1);
            if (made.Count > 2 || (made.Count == 2 && !IsSign(body[i - 1], ",")))
                throw new ExpressionException($"the macro '{macro.Name}' puts '{body[i - 1].Text}' and '{body[i + 1].Text}' together, which is no word", body[i].Position);
            for (int j = 0; j < made.Count; j++) made[j] = made[j] with { Macro = macro.Name };
            body.RemoveRange(i - 1, 3);
            body.InsertRange(i - 1, made);
            i--;
        }
        body.RemoveAll(static word => word is { Kind: TokenKind.Name, Text: "" });
        return body;
    }

    private static bool IsSign(in Token token, string sign) => token.Kind == TokenKind.Sign && token.Text == sign;

    private static string Spelled(List<Token> argument)
    {
        var text = new StringBuilder();
        foreach (Token token in argument)
        {
            if (token.HasSpaceBefore) text.Append(' ');
            text.Append(token.Kind switch
            {
                TokenKind.Text => $"\"{token.Text}\"",
                TokenKind.Character => $"'{token.Text}'",
                TokenKind.Register => $"${token.Text}",
                _ => token.Text,
            });
        }
        return text.ToString();
    }
}
