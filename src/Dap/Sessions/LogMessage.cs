using System;
using System.Collections.Generic;
using System.Text;
using Introspection.Programs;
using Introspection.Values;
using Symbols.Expressions;

namespace Dap.Sessions;

/// <summary>What a log point prints: text with expressions in braces. <c>{{</c> and <c>}}</c> are braces themselves.</summary>
internal sealed class LogMessage
{
    private readonly List<(string Text, bool IsExpression)> _parts = [];

    private LogMessage() { }

    /// <summary>The expressions in it.</summary>
    public IEnumerable<string> Expressions
    {
        get
        {
            foreach ((string text, bool isExpression) in _parts)
                if (isExpression) yield return text;
        }
    }

    public static LogMessage Parse(string text)
    {
        var message = new LogMessage();
        var literal = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            bool isDoubled = i + 1 < text.Length && text[i] is '{' or '}' && text[i + 1] == text[i];
            int end = text[i] == '{' && !isDoubled ? text.IndexOf('}', i) : -1;
            if (end < 0)
            {
                literal.Append(text[i]);
                if (isDoubled) i++;
                continue;
            }
            message._parts.Add((literal.ToString(), false));
            literal.Clear();
            message._parts.Add((text[(i + 1)..end], true));
            i = end;
        }
        message._parts.Add((literal.ToString(), false));
        return message;
    }

    /// <summary>The message for where the machine stands. What cannot be worked out there says so.</summary>
    public string Format(in GuestView view, SymbolSet symbols)
    {
        var result = new StringBuilder();
        foreach ((string text, bool isExpression) in _parts) result.Append(isExpression ? ValueOf(text, view, symbols) : text);
        return result.ToString();
    }

    private static string ValueOf(string expression, in GuestView view, SymbolSet symbols)
    {
        var environment = new GuestEnvironment(view, symbols, new FrameVariables(view, symbols));
        try
        {
            CompiledExpression compiled = CompiledExpression.Parse(expression, environment);
            TypedValue value = compiled.Evaluate(environment);
            // Numbers without a type are short in a message.
            if (value.IsUntyped && compiled.Format == default) return Hexadecimal.Of(compiled.Number(environment));
            return new ValueRenderer(environment, symbols).Render("", value, null, compiled.Format).Text;
        }
        catch (ExpressionException e)
        {
            return $"<{e.Message}>";
        }
    }
}
