using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using TestKit;
using Xunit;

namespace Symbols.Tests.Types;

/// <summary>Programs whose types and variables are compared with what gdb says, compiled when first asked for.</summary>
internal static class TypeSamples
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> s_built = new();

    private static readonly Dictionary<string, string[]> s_commands = new()
    {
        ["types-c-dwarf2"] = ["gcc", "-O0", "-gdwarf-2", "-gstrict-dwarf", "types.c", "opaque.c"],
        ["types-c-dwarf3"] = ["gcc", "-O0", "-gdwarf-3", "-gstrict-dwarf", "types.c", "opaque.c"],
        ["types-c-dwarf4"] = ["gcc", "-O0", "-gdwarf-4", "types.c", "opaque.c"],
        ["types-c-dwarf5"] = ["gcc", "-O0", "-gdwarf-5", "-g3", "types.c", "opaque.c"],
        ["types-c-O2"] = ["gcc", "-O2", "-g", "types.c", "opaque.c"],
        ["types-c-units"] = ["gcc", "-O0", "-gdwarf-5", "-fdebug-types-section", "types.c", "opaque.c"],
        ["types-c++-dwarf4"] = ["g++", "-O0", "-gdwarf-4", "types.cpp"],
        ["types-c++-dwarf5"] = ["g++", "-O0", "-gdwarf-5", "types.cpp"],
        ["locals-O0"] = ["gcc", "-O0", "-g", "locals.c"],
        ["locals-O2"] = ["gcc", "-O2", "-g", "locals.c"],
        ["locals-O2-dwarf4"] = ["gcc", "-O2", "-gdwarf-4", "locals.c"],
        ["locals-O3"] = ["gcc", "-O3", "-g", "locals.c"],
        ["macros-5"] = ["gcc", "-gdwarf-5", "-g3", "macros.c"],
        ["macros-4"] = ["gcc", "-gdwarf-4", "-g3", "macros.c"],
        ["macros-2"] = ["gcc", "-gdwarf-2", "-gstrict-dwarf", "-g3", "macros.c"],
    };

    internal static string Get(string name)
    {
        if (!s_commands.TryGetValue(name, out string[]? command)) return Samples.Get(name);
        HostTool.Require(command[0], command[0]);
        return s_built.GetOrAdd(name, _ => new Lazy<string>(() => Compile(name, command))).Value;
    }

    private static string Compile(string name, string[] command)
    {
        string output = Path.Combine(Samples.Folder(), name);
        string[] arguments = Array.ConvertAll(command[1..], word => word.StartsWith('-') ? word : Repository.PathOf("tests/Symbols.Tests/samples/" + word));
        ToolResult result = HostTool.Run(command[0], [.. arguments, "-o", output], TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0, $"{name} does not compile: {result.Error}");
        return output;
    }
}
