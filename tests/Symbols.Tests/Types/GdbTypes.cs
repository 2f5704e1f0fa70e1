using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Symbols.Types;
using TestKit;

namespace Symbols.Tests.Types;

/// <summary>Types as gdb describes them, a line for each, and ours in the same words.</summary>
internal static partial class GdbTypes
{
    private const string Script = """
        import gdb
        kinds = { gdb.TYPE_CODE_STRUCT: 'struct', gdb.TYPE_CODE_UNION: 'union', gdb.TYPE_CODE_ENUM: 'enum' }
        def field(f):
            virtual = f.is_base_class and not hasattr(f, 'bitpos')
            return '%s:%s:%d:%s' % ('' if f.is_base_class else f.name or '', f.bitpos if hasattr(f, 'bitpos') else '?', f.bitsize, text(f.type))
        def text(t):
            return str(t.unqualified()) if t.name is None and t.code in kinds else str(t)
        def describe(name):
            try:
                t = gdb.lookup_type(name)
            except gdb.error:
                return 'none'
            s = t.strip_typedefs()
            head = '%s %s' % (t.sizeof, kinds.get(s.code, 'other'))
            if s.code == gdb.TYPE_CODE_ENUM:
                return head + ' ' + ';'.join('%s=%d' % (f.name, f.enumval) for f in s.fields())
            if s.code in kinds:
                return head + ' ' + ';'.join(field(f) for f in s.fields() if hasattr(f, 'bitpos') or f.is_base_class)
            return head + ' ' + str(s)
        for line in open(FILE):
            print('T|%s|%s' % (line.strip(), describe(line.strip()).replace('\n', ' ')))
        """;

    /// <summary>gdb's description of each name: size, kind, members or enumerators.</summary>
    internal static Dictionary<string, string> Describe(string program, IEnumerable<string> names)
    {
        HostTool.Require("gdb", "gdb");
        string folder = Directory.CreateTempSubdirectory("ttvm-types-").FullName;
        string list = Path.Combine(folder, "names"), script = Path.Combine(folder, "describe.py");
        File.WriteAllLines(list, names);
        File.WriteAllText(script, Script.Replace("FILE", $"'{list}'", StringComparison.Ordinal));
        ToolResult result = HostTool.Run("gdb", ["-nx", "-batch", "-ex", "set print max-depth -1", "-x", script, program], TimeSpan.FromMinutes(5));
        Directory.Delete(folder, recursive: true);
        var found = new Dictionary<string, string>();
        foreach (string line in result.Output.Split('\n'))
            if (line.Split('|', 3) is ["T", var name, var text]) found[name] = Plain(text);
        if (found.Count == 0) Requirement.Missing($"gdb has no Python ({result.Error.Trim()})", "apt-get install gdb");
        return found;
    }

    /// <summary>Ours, as <see cref="Describe"/>.</summary>
    internal static string Describe(DebugType type)
    {
        DebugType real = type.Stripped;
        string head = $"{type.SizeBytes ?? 0} ";
        return Plain(real switch
        {
            RecordType record => head + (record.Kind == RecordKind.Union ? "union " : "struct ") + string.Join(';', record.Members.Select(Describe)),
            EnumerationType enumeration => head + "enum " + string.Join(';', enumeration.Enumerators.Select(entry => $"{Last(entry.Name, enumeration)}={(long)entry.Value}")),
            _ => head + "other " + TypeText.Of(WithoutAliases(type)),
        });
    }

    // gdb keeps the qualifiers that are behind a typedef.
    private static DebugType WithoutAliases(DebugType type)
    {
        while (type is AliasType alias) type = alias.Target;
        return type;
    }

    // gdb names an enum class's enumerators with their scope.
    private static string Last(string name, EnumerationType enumeration)
    {
        int scope = enumeration.Name?.LastIndexOf("::", StringComparison.Ordinal) ?? -1;
        string prefix = enumeration.IsScoped ? enumeration.Name + "::" : scope >= 0 ? enumeration.Name![..(scope + 2)] : "";
        return prefix + name;
    }

    private static string Describe(RecordMember member)
    {
        string offset = member.IsVirtual ? "?" : member.BitOffset.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return $"{(member.IsBase ? "" : member.Name)}:{offset}:{member.BitSize}:{TypeText.Of(member.Type)}";
    }

    // Blanks differ, and gdb leaves out what C++ does not need: struct, class, enum.
    internal static string Plain(string text)
    {
        var plain = new StringBuilder(Tag().Replace(text, ""));
        // GCC's words for integers, which gdb puts in the order of the standard's.
        foreach ((string ours, string standard) in s_integers) plain.Replace(ours, standard);
        plain.Replace(" ", "").Replace("{...}", "");
        // gdb reads a table of virtual functions as what it holds; where a virtual base is depends on the object.
        plain.Replace("__vtbl_ptr_type*", "int(**)(void)").Replace(":None:", ":?:");
        // gdb's count of a vector is of elements.
        return Vector().Replace(plain.ToString(), "[$1]");
    }

    private static readonly (string Ours, string Standard)[] s_integers =
    [
        ("long long unsigned int", "unsigned long long"), ("long long int", "long long"), ("long unsigned int", "unsigned long"), ("long int", "long"),
        ("short unsigned int", "unsigned short"), ("short int", "short"),
    ];

    /// <summary>The name that gdb knows a type by.</summary>
    internal static string Standard(string name)
    {
        foreach ((string ours, string standard) in s_integers)
            if (name == ours) return standard;
        return name;
    }

    [GeneratedRegex(@"\b(?:struct|class|union|enum) ")]
    private static partial Regex Tag();

    [GeneratedRegex(@"__attribute__\(\(vector_size\((\d+)\)\)\)")]
    private static partial Regex Vector();
}
