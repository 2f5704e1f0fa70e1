using System;
using System.Collections.Generic;
using System.Globalization;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>Rust's texts, vectors, slices, tuples and enums. Their layouts are the compiler's own affair: what does not look as expected is shown as any record.</summary>
internal static class RustText
{
    private const ulong MaximumElements = 1 << 20;
    private const int MaximumDepth = 8;

    /// <summary>In a line; null: it is none of these.</summary>
    public static string? Of(ValueRenderer renderer, RecordType record, TypedValue value, ValueFormat format, int depth)
    {
        if (record.Variants is not null) return Variant(renderer, record, value, format, depth);
        if (record.Name is not { } name) return null;
        if (name is "&str" or "&mut str" or "String" or "alloc::string::String") return Text(renderer, value);
        if (AsArray(renderer, record, value) is { } elements)
        {
            ulong count = (elements.Type as ArrayType)?.Count ?? 0;
            return string.Create(CultureInfo.InvariantCulture, $"[{count}] {renderer.Line(elements, format, depth)}");
        }
        if (name.StartsWith('(') && name.EndsWith(')')) return Fields(renderer, "", record, value, format, depth);
        return record.Members.Count > 0 && IsTuple(record) ? Fields(renderer, SimpleName(name), record, value, format, depth) : null;
    }

    // A structure whose fields have numbers.
    private static bool IsTuple(RecordType record)
    {
        for (int i = 0; i < record.Members.Count; i++)
            if (record.Members[i].Name != string.Create(CultureInfo.InvariantCulture, $"__{i}")) return false;
        return true;
    }

    // Without modules and what it is made for.
    private static string SimpleName(string name)
    {
        int arguments = name.IndexOf('<', StringComparison.Ordinal);
        string whole = arguments > 0 ? name[..arguments] : name;
        return whole[(whole.LastIndexOf(':') + 1)..];
    }

    private static string? Text(ValueRenderer renderer, TypedValue value)
    {
        if (Range(renderer, value) is not { } range) return null;
        return range.Count > MaximumElements ? $"<a text of {range.Count} bytes cannot be>" : CharacterText.At(range.Address, range.Count, renderer.Environment) ?? "<no memory there>";
    }

    /// <summary>A vector's or slice's elements as an array; null: it is neither.</summary>
    public static TypedValue? AsArray(ValueRenderer renderer, RecordType record, TypedValue value)
    {
        if (record.Name is not { } name) return null;
        bool isVector = name.StartsWith("Vec<", StringComparison.Ordinal) || name.StartsWith("alloc::vec::Vec<", StringComparison.Ordinal);
        bool isSlice = name.StartsWith("&[", StringComparison.Ordinal) || name.StartsWith("&mut [", StringComparison.Ordinal);
        if (!isVector && !isSlice) return null;
        if (Range(renderer, value) is not { } range || range.Count > MaximumElements) return null;
        DebugType element = range.Element;
        if (isVector && renderer.Environment.Types?.FindType(FirstArgument(name), TypeTag.Any) is { } argument) element = argument;
        return element.SizeBytes is > 0 ? TypedValue.InMemory(new ArrayType(() => element, 0, range.Count), range.Address) : null;
    }

    // Up to the comma that is in no inner brackets.
    private static string FirstArgument(string name)
    {
        int start = name.IndexOf('<', StringComparison.Ordinal) + 1, depth = 0;
        for (int i = start; i < name.Length; i++)
        {
            if ((name[i] is ',' or '>') && depth == 0) return name[start..i];
            depth += name[i] switch { '<' or '(' or '[' => 1, '>' or ')' or ']' => -1, _ => 0 };
        }
        return name[start..];
    }

    private static (ulong Address, ulong Count, DebugType Element)? Range(ValueRenderer renderer, TypedValue value)
    {
        IExpressionEnvironment environment = renderer.Environment;
        // A String is a Vec<u8> by another name.
        TypedValue vector = value.Member("vec", environment) ?? value;
        TypedValue? length = vector.Member("length", environment) ?? vector.Member("len", environment);
        TypedValue? pointer = vector.Member("data_ptr", environment) ?? (vector.Member("buf", environment) is { } buffer ? FindPointer(renderer, buffer, 0) : null);
        if (length is null || pointer?.Type?.Stripped is not PointerType { Target: var target } || renderer.Number(length) is not { } count || renderer.Number(pointer) is not { } address)
            return null;
        return (address, count, target);
    }

    private static TypedValue? FindPointer(ValueRenderer renderer, TypedValue value, int depth)
    {
        if (value.Type?.Stripped is PointerType) return value;
        if (depth > MaximumDepth || value.Type is null || renderer.Definition(value.Type) is not RecordType record) return null;
        foreach (RecordMember member in record.Members)
            if (FindPointer(renderer, value.Part(member, renderer.Environment), depth + 1) is { } found) return found;
        return null;
    }

    private static string? Variant(ValueRenderer renderer, RecordType record, TypedValue value, ValueFormat format, int depth)
    {
        if (value.Variant(record, renderer.Environment) is not { } variant) return null;
        if (variant.Members is not [{ Name: { } name } member]) return null;
        return renderer.Definition(member.Type) is RecordType fields ? Fields(renderer, name, fields, value.Part(member, renderer.Environment), format, depth) : name;
    }

    private static string Fields(ValueRenderer renderer, string name, RecordType record, TypedValue value, ValueFormat format, int depth)
    {
        List<RecordPart> parts = RecordPart.Of(renderer, record, value);
        if (parts.Count == 0) return name;
        bool isTuple = parts.TrueForAll(part => part.Name is { } field && field.StartsWith("__", StringComparison.Ordinal));
        if (depth > MaximumDepth) return name + (isTuple ? "(...)" : " {...}");
        var text = new BoundedText(name + (isTuple ? "(" : name.Length > 0 ? " {" : "{"), 160);
        foreach (RecordPart part in parts)
        {
            if (!text.Begin()) break;
            string inner = renderer.Line(part.Value, format, depth + 1);
            text.Append(isTuple ? inner : $"{part.Name} = {inner}");
        }
        return text.End(isTuple ? ")" : "}");
    }
}
