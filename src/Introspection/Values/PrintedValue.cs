using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Introspection.Text;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>A value as a printer shows it. What the printer cannot work out is said in its place.</summary>
internal sealed class PrintedValue(ValueRenderer renderer, TypePrinter printer, TypedValue value, string? evaluateName, ValueFormat format)
{
    private const int MaximumCountedInLine = 64, MaximumMaskBytes = 4096;

    private readonly PrinterEnvironment _environment = new(renderer.Environment, value);
    private NodeWalk? _walk;

    /// <summary>Its line and children; false: it is shown as any other.</summary>
    public bool TryRender(ValueNode node, out ValueNode shown)
    {
        shown = node;
        if (value.IsUntyped || value.Unavailable is not null) return false;
        // Its own type would find the same printer again.
        ValueNode plain = renderer.Render(node.Name, value, evaluateName, format, null, usesPrinter: false);
        shown = plain with { Text = Text(0) ?? plain.Text };
        if (printer.Children is { } children) shown = shown with { IndexedCount = 0, NamedCount = 0, Read = (start, count) => Named(children, start, count) };
        else if (printer.Array is { } array) return TryArray(array, shown, out shown);
        else if (Walk(ValueRenderer.MaximumChildren) is { } walk)
        {
            bool isEmpty = walk.Nodes.Count == 0 && walk.Remark is null;
            shown = shown with { IndexedCount = 0, NamedCount = 0, Read = isEmpty ? null : (start, count) => Nodes(walk, start, count) };
        }
        return true;
    }

    /// <summary>Its line; null: the printer has nothing to say about it.</summary>
    public string? Text(int depth)
    {
        if (printer.Text is { } template) return Filled(template, depth);
        if (printer.Enum is { } names) return NamesOf(names, areBits: false);
        if (printer.Flags is { } flags) return NamesOf(flags, areBits: true);
        if (printer.Bits is { } bits) return Mask(bits);
        if (printer.Array is { } array) return ArrayOf(array, out string? problem) is { } elements ? renderer.Line(elements, format, depth) : problem;
        if (Walk(depth > 0 ? MaximumCountedInLine : ValueRenderer.MaximumChildren) is not { } walk) return null;
        if (walk.Nodes.Count == 0) return walk.Remark ?? "empty";
        string count = string.Create(CultureInfo.InvariantCulture, $"{walk.Nodes.Count} element{(walk.Nodes.Count == 1 ? "" : "s")}");
        return walk.IsCut ? $"at least {count}" : walk.Remark is null ? count : $"{count}, {walk.Remark}";
    }

    private NodeWalk? Walk(int maximum)
    {
        if (printer.List is { } list) return _walk ??= NodeWalk.Of(list, _environment, maximum);
        return printer.Tree is { } tree ? _walk ??= NodeWalk.Of(tree, _environment, maximum) : null;
    }

    private string Filled(string template, int depth)
    {
        var text = new StringBuilder();
        foreach ((string part, bool isExpression) in TextTemplate.Split(template)) text.Append(isExpression ? Shown(part, depth) : part);
        return text.ToString();
    }

    private string Shown(string expression, int depth)
    {
        try
        {
            CompiledExpression compiled = CompiledExpression.Parse(expression, _environment);
            TypedValue result = compiled.Evaluate(_environment);
            if (result.IsUntyped) return renderer.Render("", result, null, compiled.Format).Text;
            // Words that the printer itself chooses stand without quotes.
            if (result is { Address: null, KnownBytes: { } bytes } && result.Type!.Stripped is ArrayType { Element.Stripped: BaseType { SizeBytes: 1 } })
                return Encoding.UTF8.GetString(bytes.Span).TrimEnd('\0');
            return renderer.Line(result, compiled.Format.Radix == ValueRadix.Natural ? format : compiled.Format, depth + 1);
        }
        catch (ExpressionException e)
        {
            return $"<{e.Message}>";
        }
    }

    private string NamesOf(PrintedNames names, bool areBits)
    {
        try
        {
            ulong bits = names.Value is { } expression ? CompiledExpression.Parse(expression, _environment).Number(_environment)
                : renderer.Number(value) ?? throw new ExpressionException("it is no number, or cannot be read");
            if (names.Value is null && value.SizeBytes < 8) bits &= (1UL << (value.SizeBytes * 8)) - 1;
            string number = Hexadecimal.Of(bits);
            if (Table(names) is not { } table) return $"{number} <there is no '{names.Type}'>";
            if (!areBits)
            {
                foreach (Enumerator one in table)
                    if (one.Value == bits) return $"{one.Name} ({number})";
                return number;
            }
            var found = new List<string>();
            ulong left = bits;
            foreach (Enumerator one in table)
            {
                if (one.Value == 0 || (left & one.Value) != one.Value) continue;
                found.Add(one.Name);
                left &= ~one.Value;
            }
            if (found.Count == 0) return number;
            if (left != 0) found.Add(Hexadecimal.Of(left));
            return $"{string.Join(" | ", found)} ({number})";
        }
        catch (ExpressionException e)
        {
            return $"<{e.Message}>";
        }
    }

    private List<Enumerator>? Table(PrintedNames names)
    {
        var table = new List<Enumerator>();
        if (names.Names is { } own)
        {
            foreach ((string name, ulong number) in own) table.Add(new Enumerator(name, number));
            return table;
        }
        string type = names.Type!;
        bool isTagged = type.StartsWith("enum ", StringComparison.Ordinal);
        if (_environment.Types?.FindType(isTagged ? type[5..].Trim() : type, isTagged ? TypeTag.Enum : TypeTag.Any)?.Stripped is not EnumerationType enumeration) return null;
        foreach (Enumerator one in enumeration.Enumerators)
        {
            if (!names.AreBitNumbers) table.Add(one);
            else if (one.Value < 64 && !table.Exists(other => other.Value == 1UL << (int)one.Value)) table.Add(one with { Value = 1UL << (int)one.Value });
        }
        return table;
    }

    // The members of a set, runs of them as 0-3.
    private string Mask(string expression)
    {
        try
        {
            TypedValue set = _environment.Evaluate(expression);
            var bytes = new byte[Math.Min(MaximumMaskBytes, set.SizeBytes)];
            if (!set.TryRead(_environment, bytes)) return "<no memory there>";
            var text = new BoundedText("{", 160);
            int total = bytes.Length * 8;
            for (int i = 0; i < total; i++)
            {
                if (!IsSet(i)) continue;
                int last = i;
                while (last + 1 < total && IsSet(last + 1)) last++;
                if (!text.Begin()) break;
                text.Append(last == i ? string.Create(CultureInfo.InvariantCulture, $"{i}") : string.Create(CultureInfo.InvariantCulture, $"{i}-{last}"));
                i = last;
            }
            return text.End("}");

            bool IsSet(int bit) => (bytes[bit / 8] >> (bit % 8) & 1) != 0;
        }
        catch (ExpressionException e)
        {
            return $"<{e.Message}>";
        }
    }

    private TypedValue? ArrayOf(PrintedArray array, out string? problem)
    {
        try
        {
            problem = null;
            return _environment.Evaluate($"({array.First})[0..({array.Count})]");
        }
        catch (ExpressionException e)
        {
            problem = $"<{e.Message}>";
            return null;
        }
    }

    private bool TryArray(PrintedArray array, ValueNode node, out ValueNode shown)
    {
        shown = node with { Read = null, IndexedCount = 0, NamedCount = 0 };
        if (ArrayOf(array, out _) is not { } elements) return true;
        ValueNode all = renderer.Render(node.Name, elements, null, format);
        shown = shown with { Read = all.Read, IndexedCount = all.IndexedCount, Text = printer.Text is null ? all.Text : node.Text };
        return true;
    }

    private List<ValueNode> Named(IReadOnlyList<PrintedChild> children, int start, int count)
    {
        var list = new List<ValueNode>();
        for (int i = start; i < children.Count && list.Count < count; i++) list.Add(Child(children[i].Name, children[i].Expression));
        return list;
    }

    private ValueNode Child(string name, string expression)
    {
        try
        {
            CompiledExpression compiled = CompiledExpression.Parse(expression, _environment);
            TypedValue result = compiled.Evaluate(_environment);
            return renderer.Render(name, result, EvaluateNameOf(result), compiled.Format);
        }
        catch (ExpressionException e)
        {
            return Remark(name, e.Message);
        }
    }

    private static ValueNode Remark(string name, string message) => new() { Name = name, Text = $"<{message}>", TypeText = "" };

    // By its address, as names of the printer mean nothing elsewhere.
    private string? EvaluateNameOf(TypedValue result) => result is { Type: { } type, Address: { } address, BitSize: 0, IsPhysical: false }
        ? $"*({TypeText.Of(CTypes.PointerTo(type, _environment.AddressSizeBytes))}){Hexadecimal.Of(address)}" : null;

    private List<ValueNode> Nodes(NodeWalk walk, int start, int count)
    {
        var list = new List<ValueNode>();
        string? element = printer.List?.Element ?? printer.Tree?.Element;
        for (int i = start; i < walk.Nodes.Count && list.Count < count; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"[{i}]");
            _environment.Node = walk.Nodes[i];
            list.Add(element is null ? renderer.Render(name, walk.Nodes[i], null, format) : Child(name, element));
        }
        bool isEnd = start + list.Count >= walk.Nodes.Count && list.Count < count;
        if (isEnd && start <= walk.Nodes.Count && (walk.Remark ?? (walk.IsCut ? "more are not shown" : null)) is { } remark) list.Add(Remark("...", remark));
        return list;
    }
}
