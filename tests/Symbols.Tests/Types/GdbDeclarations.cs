using System;
using System.Collections.Generic;
using System.IO;
using TestKit;

namespace Symbols.Tests.Types;

/// <summary>What gdb's <c>whatis</c> says of functions, with their parameters, and of global variables.</summary>
internal static class GdbDeclarations
{
    private const string Script = """
        import gdb
        def function(pc):
            block, outermost = gdb.block_for_pc(pc), None
            while block is not None and not block.is_global and not block.is_static:
                outermost = block if block.function is not None else outermost
                block = block.superblock
            if outermost is None:
                return 'none'
            arguments = ';'.join('%s:%s' % (s.name, s.type) for s in outermost if s.is_argument)
            return '%s|%s' % (outermost.function.type, arguments)
        def variable(name):
            symbols = [gdb.lookup_global_symbol(name)] + list(gdb.lookup_static_symbols(name))
            types = ['%s|' % s.type for s in symbols if s is not None and s.is_variable and not s.value().is_optimized_out]
            return types[0] if types else 'none'
        for line in open(FILE):
            kind, name = line.strip().split('|')
            print('T|%s|%s' % (name, (function(int(name, 16)) if kind == 'F' else variable(name)).replace('\n', ' ')))
        """;

    /// <summary>Type and parameters, "none" where gdb knows none, by a function's first address in hexadecimal or a variable's name.</summary>
    internal static Dictionary<string, string> Ask(string program, IEnumerable<ulong> functions, IEnumerable<string> variables)
    {
        HostTool.Require("gdb", "gdb");
        string folder = Directory.CreateTempSubdirectory("ttvm-whatis-").FullName;
        string list = Path.Combine(folder, "names"), script = Path.Combine(folder, "whatis.py");
        var lines = new List<string>();
        foreach (ulong entry in functions) lines.Add($"F|{entry:x}");
        foreach (string name in variables) lines.Add($"V|{name}");
        File.WriteAllLines(list, lines);
        File.WriteAllText(script, Script.Replace("FILE", $"'{list}'", StringComparison.Ordinal));
        ToolResult result = HostTool.Run("gdb", ["-nx", "-batch", "-x", script, program], TimeSpan.FromMinutes(5));
        Directory.Delete(folder, recursive: true);
        var found = new Dictionary<string, string>();
        foreach (string line in result.Output.Split('\n'))
            if (line.Split('|', 3) is ["T", var name, var text]) found[name] = GdbTypes.Plain(text);
        if (found.Count == 0) Requirement.Missing($"gdb has no Python ({result.Error.Trim()})", "apt-get install gdb");
        return found;
    }
}
