using System;
using System.Collections.Generic;
using Introspection.Text;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>The members of a record, as a tree shows them.</summary>
internal sealed class RecordChildren(ValueRenderer renderer, RecordType record, TypedValue value, string? evaluateName, ValueFormat format)
{
    /// <summary>Null: there are none.</summary>
    public Func<int, int, IReadOnlyList<ValueNode>>? Reader
    {
        get
        {
            if (record.IsDeclaration) return null;
            if (!format.IsRaw && RustText.AsArray(renderer, record, value) is { } elements) return Elements(elements);
            return record.Members.Count > 0 || record.Variants is not null ? Read : null;
        }
    }

    private Func<int, int, IReadOnlyList<ValueNode>> Elements(TypedValue elements) => (start, count) =>
    {
        IReadOnlyList<ValueNode> all = renderer.Render("", elements, null, format).Children(start, count);
        return all;
    };

    private List<ValueNode> Read(int start, int count)
    {
        List<RecordPart> parts = RecordPart.Of(renderer, record, value);
        var list = new List<ValueNode>();
        for (int i = start; i < parts.Count && list.Count < count; i++)
        {
            RecordPart part = parts[i];
            string? expression = part.IsBase ? BaseExpression(part) : part.Name is { } name && evaluateName is not null ? $"{Owner(evaluateName)}{name}" : null;
            list.Add(renderer.Render(part.Name ?? "<unnamed>", part.Value, expression, format, record));
        }
        return list;
    }

    private static string? BaseExpression(in RecordPart part) =>
        part.Value.Address is { } address && part.Value.Type is { } type ? $"*({TypeText.Of(CTypes.PointerTo(type, 8))}){Hexadecimal.Of(address)}" : null;

    // (*p).a is written p->a.
    private static string Owner(string expression)
    {
        string rest = expression.StartsWith('*') ? expression[1..] : "";
        if (rest.Length > 0 && (ValueRenderer.Bracketed(rest) == rest || IsBracketed(rest))) return $"{rest}->";
        return $"{ValueRenderer.Bracketed(expression)}.";
    }

    // One pair of brackets around all of it.
    private static bool IsBracketed(string text)
    {
        if (!text.StartsWith('(') || !text.EndsWith(')')) return false;
        int depth = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth == 0 && i < text.Length - 1) return false;
        }
        return depth == 0;
    }
}
