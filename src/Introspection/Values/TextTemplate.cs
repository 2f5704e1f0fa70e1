using System.Collections.Generic;
using System.Text;

namespace Introspection.Values;

/// <summary>A text with expressions in braces; <c>{{</c> and <c>}}</c> are braces themselves.</summary>
internal static class TextTemplate
{
    /// <summary>Its parts: text as it is, and expressions.</summary>
    public static List<(string Text, bool IsExpression)> Split(string template)
    {
        var parts = new List<(string, bool)>();
        var literal = new StringBuilder();
        for (int i = 0; i < template.Length; i++)
        {
            bool isDoubled = i + 1 < template.Length && template[i] is '{' or '}' && template[i + 1] == template[i];
            int end = template[i] == '{' && !isDoubled ? template.IndexOf('}', i) : -1;
            if (end < 0)
            {
                literal.Append(template[i]);
                if (isDoubled) i++;
                continue;
            }
            parts.Add((literal.ToString(), false));
            literal.Clear();
            parts.Add((template[(i + 1)..end], true));
            i = end;
        }
        parts.Add((literal.ToString(), false));
        return parts;
    }

    /// <summary>What is wrong with one, in a sentence; null: nothing.</summary>
    public static string? Problem(string template)
    {
        foreach ((string text, bool isExpression) in Split(template))
            if (isExpression && string.IsNullOrWhiteSpace(text)) return "'text' has empty braces";
        return null;
    }
}
