using System;
using System.Collections.Generic;
using System.Globalization;
using Introspection.Programs;
using Introspection.State;
using Introspection.Text;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>
/// Shows values: a line for each, and their parts when they are opened. Guest memory is not trusted: lines, depths and lists are bounded, and what cannot be read says so.
/// </summary>
/// <param name="environment">Whose memory is read.</param>
/// <param name="symbols">Names of addresses.</param>
/// <param name="printers">How types are shown that say more than their members; null: only the built-in ones.</param>
public sealed class ValueRenderer(IExpressionEnvironment environment, ISymbolSource symbols, PrinterSet? printers = null)
{
    internal const int MaximumChildren = 4096;
    private const int MaximumSummaryDepth = 3, MaximumSummaryLength = 160, MaximumSummaryElements = 16;

    private readonly PrinterSet _printers = printers ?? PrinterSet.BuiltIn;

    /// <summary>Plain numbers in decimal, hexadecimal behind it where it is longer than a digit; else the other way round.</summary>
    public bool ShowsDecimal { get; init; } = true;

    internal IExpressionEnvironment Environment => environment;

    /// <summary>A value under a name.</summary>
    /// <param name="name">What it is called in the tree.</param>
    /// <param name="value">The value.</param>
    /// <param name="evaluateName">An expression for it; null: there is none.</param>
    /// <param name="format">How the user wants it.</param>
    public ValueNode Render(string name, TypedValue value, string? evaluateName = null, ValueFormat format = default) => Render(name, value, evaluateName, format, null);

    // A record may be shown another way as a member of another.
    internal ValueNode Render(string name, TypedValue value, string? evaluateName, ValueFormat format, RecordType? owner, bool usesPrinter = true)
    {
        if (value.IsUntyped) return Untyped(name, value, evaluateName, format);
        value = Referred(value);
        DebugType type = value.Type!, stripped = Definition(type);
        if (format.Count is { } count && stripped is PointerType { Target.Stripped: not (VoidType or FunctionType) } pointer && Number(value) is { } address)
        {
            DebugType target = pointer.Target;
            return Render(name, TypedValue.InMemory(new ArrayType(() => target, 0, count), address), evaluateName is null ? null : $"*({evaluateName})@{count}",
                format with { Count = null });
        }
        var node = new ValueNode
        {
            Name = name, Text = "", TypeText = TypeText.Of(type), Value = value, EvaluateName = evaluateName, Place = PlaceOf(value),
            IsSettable = value.IsAssignable && stripped is BaseType or EnumerationType or PointerType,
        };
        if (value.Unavailable is { } reason) return node with { Text = $"<{reason}>" };
        if (usesPrinter && !format.IsRaw && _printers.Find(type, owner, name) is { } printer
            && new PrintedValue(this, printer, value, evaluateName, format).TryRender(node, out ValueNode shown)) return shown;
        return stripped switch
        {
            RecordType record => node with { Text = Line(value, format, 0), Read = new RecordChildren(this, record, value, evaluateName, format).Reader },
            ArrayType array => Array(node, array, value, format),
            PointerType target => Pointer(node, target, value, format),
            FunctionType => node with { Text = Function(value.Address ?? 0) },
            _ => node with { Text = Line(value, format, 0) },
        };
    }

    private ValueNode Untyped(string name, TypedValue value, string? evaluateName, ValueFormat format)
    {
        ulong number = CompiledNumber(value);
        string hexadecimal = Hexadecimal.Padded(number, value.SizeBytes * 8);
        string text = format.Radix == ValueRadix.Natural ? ShowsDecimal ? $"{number} ({hexadecimal})" : $"{hexadecimal} ({number})"
            : ScalarText.WithRadix(number, value.SizeBytes, false, format.Radix) ?? hexadecimal;
        return new ValueNode
        {
            Name = name, Text = text, TypeText = $"{value.SizeBytes * 8}-bit", Value = value, EvaluateName = evaluateName, IsSettable = value.IsAssignable,
            Place = value.Address is { } address ? new MemoryPlace(address, value.IsPhysical) : new MemoryPlace(number),
        };
    }

    private static ulong CompiledNumber(TypedValue value) => value.KnownBytes is { Length: >= 8 } bytes ? BitConverter.ToUInt64(bytes.Span) : 0;

    // Where the bytes are that a memory view is to show: of a pointer, what it points to.
    private MemoryPlace? PlaceOf(TypedValue value)
    {
        if (value.Type!.Stripped is PointerType) return Number(value) is { } target and not 0 ? new MemoryPlace(target) : null;
        return value.Address is { } address ? new MemoryPlace(address, value.IsPhysical) : null;
    }

    /// <summary>What a C++ reference refers to.</summary>
    internal TypedValue Referred(TypedValue value) =>
        value.Type?.Stripped is PointerType { IsReference: true } reference && Number(value) is { } address ? TypedValue.InMemory(reference.Target, address) : value;

    /// <summary>The type behind typedefs; of a record of which only the name is known here, its definition elsewhere.</summary>
    internal DebugType Definition(DebugType type)
    {
        DebugType stripped = type.Stripped;
        if (stripped is not RecordType { IsDeclaration: true, Name: { } name } declared) return stripped;
        return environment.Types?.FindType(name, declared.Kind == RecordKind.Union ? TypeTag.Union : TypeTag.Struct)?.Stripped as RecordType ?? stripped;
    }

    /// <summary>A number's, enumerator's or pointer's bits; null: it is none, or cannot be read.</summary>
    internal ulong? Number(TypedValue value) => ScalarText.Number(value, environment);

    // ---- One line.

    /// <summary>A value in one line, shorter the deeper it lies in another.</summary>
    internal string Line(TypedValue value, ValueFormat format, int depth)
    {
        value = Referred(value);
        if (value.Unavailable is { } reason) return $"<{reason}>";
        DebugType type = value.Type!;
        if (depth > 0 && !format.IsRaw && _printers.Find(type) is { } printer && depth <= MaximumSummaryDepth
            && new PrintedValue(this, printer, value, null, format).Text(depth) is { } printed) return printed;
        switch (Definition(type))
        {
            case RecordType { IsDeclaration: true }: return "{...}";
            case RecordType record: return Summary(record, value, format, depth);
            case ArrayType array: return ArrayLine(array, value, format, depth);
            case FunctionType: return Function(value.Address ?? 0);
            case PointerType pointer: return PointerLine(pointer, value, format);
            case VoidType: return "void";
            default: return ScalarText.Of(value, environment, format) ?? Unreadable(value);
        }
    }

    private static string Unreadable(TypedValue value) => value.Address is { } address ? $"<no memory at {new MemoryPlace(address, value.IsPhysical)}>" : "<not known>";

    private string Summary(RecordType record, TypedValue value, ValueFormat format, int depth)
    {
        if (RustText.Of(this, record, value, format, depth) is { } rust) return rust;
        if (depth >= MaximumSummaryDepth) return "{...}";
        if (value.Address is { } address && record.SizeBytes is > 0 && !TypedIsThere(value)) return $"<no memory at {new MemoryPlace(address, value.IsPhysical)}>";
        var text = new BoundedText("{", MaximumSummaryLength);
        foreach (RecordPart part in RecordPart.Of(this, record, value))
        {
            if (!text.Begin()) break;
            string inner = Line(part.Value, format, depth + 1);
            text.Append(part.Name is null ? inner : $"{part.Name} = {inner}");
        }
        return text.End("}");
    }

    private bool TypedIsThere(TypedValue value)
    {
        Span<byte> first = stackalloc byte[1];
        return value.TryRead(environment, first);
    }

    private string ArrayLine(ArrayType array, TypedValue value, ValueFormat format, int depth)
    {
        if (IsText(array, format) && CharacterText.OfArray(value, array, environment) is { } text) return text;
        if (depth >= MaximumSummaryDepth) return "{...}";
        if (array.Count is not { } count) return "{...}";
        if (count > 0 && value.Address is not null && !TypedIsThere(value)) return Unreadable(value);
        var line = new BoundedText("{", MaximumSummaryLength);
        ulong shown = 0;
        for (ulong i = 0; i < count && shown < MaximumSummaryElements; shown++)
        {
            if (!line.Begin()) return line.End("}");
            ulong same = ArrayRuns.Length(value, array, i, environment);
            string one = Line(ElementOf(array, value, i), format, depth + 1);
            line.Append(same > 3 ? $"{one} <repeats {same} times>" : one);
            i += same > 3 ? same : 1;
            if (i < count && shown + 1 == MaximumSummaryElements) line.Cut();
        }
        return line.End("}");
    }

    internal static TypedValue ElementOf(ArrayType array, TypedValue value, ulong index) => value.Part(array.Element, (long)(index * (array.Element.SizeBytes ?? 0)));

    private static bool IsText(ArrayType array, ValueFormat format) => array.Element.Stripped is BaseType { SizeBytes: 1 } element
        && (format.Radix == ValueRadix.Text || (format.Radix == ValueRadix.Natural && element.Encoding == BaseEncoding.SignedCharacter && array.Element is not AliasType));

    private ValueNode Array(ValueNode node, ArrayType array, TypedValue value, ValueFormat format)
    {
        string text = Line(value, format, 0);
        if (array.Count is not { } count || count == 0) return node with { Text = text };
        int indexed = (int)Math.Min(count, int.MaxValue);
        return node with { Text = text, IndexedCount = indexed, Read = Elements };

        IReadOnlyList<ValueNode> Elements(int start, int wanted)
        {
            var list = new List<ValueNode>();
            for (int i = start; i < indexed && list.Count < wanted; i++)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"[{array.LowerBound + i}]");
                list.Add(Render(name, ElementOf(array, value, (ulong)i), ElementName(node.EvaluateName, array, i), format));
            }
            return list;
        }
    }

    private static string? ElementName(string? parent, ArrayType array, int index)
    {
        if (parent is null) return null;
        return string.Create(CultureInfo.InvariantCulture, $"{Bracketed(parent)}[{array.LowerBound + index}]");
    }

    /// <summary>An expression so that a member or an index may follow.</summary>
    internal static string Bracketed(string expression)
    {
        foreach (char c in expression)
            if (!char.IsLetterOrDigit(c) && c is not ('_' or '.' or '[' or ']' or ':' or '$' or '>' or '-')) return $"({expression})";
        return expression.Contains("- ", StringComparison.Ordinal) || expression.StartsWith('-') ? $"({expression})" : expression;
    }

    // ---- Pointers.

    private string Function(ulong address) => symbols.NameOf(address, out ulong offset) is { } name
        ? $"{Hexadecimal.Of(address)} <{name}{(offset > 0 ? $"+{offset}" : "")}>" : Hexadecimal.Of(address);

    private string PointerLine(PointerType pointer, TypedValue value, ValueFormat format)
    {
        if (Number(value) is not { } address) return Unreadable(value);
        if (format.Radix is not (ValueRadix.Natural or ValueRadix.Text) && ScalarText.WithRadix(address, environment.AddressSizeBytes, false, format.Radix) is { } number) return number;
        if (address == 0) return "NULL";
        DebugType target = pointer.Target.Stripped;
        bool isCharacters = target is BaseType { SizeBytes: 1 } character
            && (format.Radix == ValueRadix.Text || (character.Encoding == BaseEncoding.SignedCharacter && pointer.Target is not AliasType));
        if (isCharacters) return $"{Hexadecimal.Of(address)} {CharacterText.At(address, environment) ?? "<no memory there>"}";
        return Function(address);
    }

    private ValueNode Pointer(ValueNode node, PointerType pointer, TypedValue value, ValueFormat format)
    {
        string text = PointerLine(pointer, value, format);
        if (Number(value) is not { } address || address == 0) return node with { Text = text };
        DebugType target = Definition(pointer.Target);
        TypedValue pointed = TypedValue.InMemory(pointer.Target, address);
        if (target is VoidType or FunctionType or UnspecifiedType or RecordType { IsDeclaration: true }) return node with { Text = text };
        Span<byte> first = stackalloc byte[1];
        if (!pointed.TryRead(environment, first)) return node with { Text = target is BaseType { SizeBytes: 1 } ? text : $"{text} <no memory there>" };
        string? dereferenced = node.EvaluateName is { } name ? $"*{Bracketed(name)}" : null;
        if (target is RecordType)
        {
            // A structure's members at once, not behind one more line.
            ValueNode inner = Render(node.Name, pointed, dereferenced, format);
            return node with { Text = text, Read = inner.Read, IndexedCount = inner.IndexedCount, NamedCount = inner.NamedCount };
        }
        return node with { Text = text, Read = (start, _) => start > 0 ? [] : [Render($"*{node.Name}", pointed, dereferenced, format)] };
    }
}
