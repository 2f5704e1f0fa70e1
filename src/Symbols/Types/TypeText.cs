using System.Text;

namespace Symbols.Types;

/// <summary>Types as C writes them: <c>char *(*)[4]</c>, <c>int (*)(void *, ...)</c>, <c>struct list_head *</c>.</summary>
public static class TypeText
{
    private const int MaximumDepth = 32;

    // Damaged files have functions that take themselves.
    private const int MaximumNesting = 6;
    private const int MaximumLength = 4096;

    /// <summary>The type without a name.</summary>
    public static string Of(DebugType type) => Declaration(type, "");

    /// <summary>As something of that name is declared: <c>int (*handler)(int)</c>.</summary>
    public static string Declaration(DebugType type, string name) => Declaration(type, name, 0);

    private static string Declaration(DebugType type, string name, int nesting)
    {
        // C's declarators are read from the name outwards: pointers go before it, arrays and parameters behind it, brackets around it where the two meet.
        var inner = new StringBuilder(name);
        string qualifiers = "";
        for (int depth = 0; depth < MaximumDepth; depth++)
        {
            switch (type)
            {
                case QualifiedType qualified:
                    // An array of constants may be constant too.
                    string word = Word(qualified.Qualifier);
                    if (!qualifiers.Contains(word, System.StringComparison.Ordinal)) qualifiers = $"{word} {qualifiers}";
                    type = qualified.Target;
                    continue;
                case PointerType { Name: null } pointer:
                    string mark = pointer.Kind switch { PointerKind.Reference => "&", PointerKind.RvalueReference => "&&", _ => "*" };
                    string separator = qualifiers.Length > 0 && inner.Length > 0 && !IsDeclaratorMark(inner[0]) ? " " : "";
                    inner.Insert(0, mark + qualifiers.TrimEnd() + separator);
                    qualifiers = "";
                    type = pointer.Target;
                    if (type.SkipQualifiers() is ArrayType or FunctionType) inner.Insert(0, '(').Append(')');
                    continue;
                case ArrayType array:
                    inner.Append('[').Append(array.Count?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "").Append(']');
                    type = array.Element;
                    continue;
                case FunctionType function:
                    AppendParameters(inner, function, nesting + 1);
                    type = function.Result;
                    continue;
                case MemberPointerType pointer:
                    bool isFunction = pointer.Target.SkipQualifiers() is ArrayType or FunctionType;
                    inner.Insert(0, $"{pointer.Containing.Name}::*{qualifiers}");
                    qualifiers = "";
                    type = pointer.Target;
                    if (isFunction) inner.Insert(0, '(').Append(')');
                    continue;
            }
            break;
        }
        string text = qualifiers + Named(type);
        if (inner.Length == 0) return text;
        return inner[0] is '[' ? text + inner : $"{text} {inner}";
    }

    private static bool IsDeclaratorMark(char c) => c is '*' or '&' or '[' or '(';

    private static DebugType SkipQualifiers(this DebugType type)
    {
        for (int i = 0; i < MaximumDepth && type is QualifiedType qualified; i++) type = qualified.Target;
        return type;
    }

    private static string Word(TypeQualifier qualifier) => qualifier switch
    {
        TypeQualifier.Const => "const",
        TypeQualifier.Volatile => "volatile",
        TypeQualifier.Restrict => "restrict",
        _ => "_Atomic",
    };

    private static string Named(DebugType type) => type switch
    {
        // C++ and Rust name their records without the word; a name with :: or < is theirs.
        RecordType { Kind: RecordKind.Structure } record => Tagged("struct", record.Name),
        RecordType { Kind: RecordKind.Union } record => Tagged("union", record.Name),
        RecordType record => Tagged("class", record.Name),
        EnumerationType enumeration => Tagged("enum", enumeration.Name),
        _ => type.Name ?? "?",
    };

    private static string Tagged(string word, string? name)
    {
        if (name is null) return $"{word} {{...}}";
        return name.Contains("::", System.StringComparison.Ordinal) || name.Contains('<', System.StringComparison.Ordinal) ? name : $"{word} {name}";
    }

    private static void AppendParameters(StringBuilder text, FunctionType function, int nesting)
    {
        text.Append('(');
        if (nesting > MaximumNesting)
        {
            text.Append("...)");
            return;
        }
        for (int i = 0; i < function.Parameters.Count; i++)
        {
            if (i > 0) text.Append(", ");
            if (text.Length > MaximumLength)
            {
                text.Append("...)");
                return;
            }
            text.Append(Declaration(function.Parameters[i].Type, "", nesting));
        }
        if (function.IsVariadic) text.Append(function.Parameters.Count > 0 ? ", ..." : "...");
        else if (function.Parameters.Count == 0) text.Append("void");
        text.Append(')');
    }
}
