using System;
using System.Collections.Concurrent;
using System.IO;
using Symbols.Tests.Files;
using TestKit;
using Xunit;

namespace Symbols.Tests.Macros;

/// <summary>Programs with macro information, compiled when first asked for.</summary>
internal static class MacroSamples
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> s_built = new();

    internal static TheoryData<string> Flags =>
    [
        "-gdwarf-5", "-gdwarf-4", "-gdwarf-3", "-gdwarf-5 -gdwarf64", "-gdwarf-4 -gdwarf64", "-gdwarf-4 -gstrict-dwarf", "-gdwarf-2 -gstrict-dwarf",
        "-gdwarf-5 -gstrict-dwarf", "-gdwarf-5 -O2",
    ];

    /// <summary>The program, in a folder of its own.</summary>
    internal static string Get(string flags) => s_built.GetOrAdd(flags, _ => new Lazy<string>(() => Build(flags))).Value;

    internal static string Build(string flags)
    {
        HostTool.Require("gcc", "gcc");
        string folder = Built.Folder("macros");
        string[] sources = Array.ConvertAll((string[])["macros.c", "macros-other.c"], name => Repository.PathOf("tests/Symbols.Tests/samples/" + name));
        foreach (string source in sources) Built.Run(folder, "gcc", ["-g3", .. flags.Split(' '), "-c", source]);
        Built.Run(folder, "gcc", "-o", "program", "macros.o", "macros-other.o");
        return Path.Combine(folder, "program");
    }
}
