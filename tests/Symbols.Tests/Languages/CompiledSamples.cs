using System;
using System.Collections.Concurrent;
using System.IO;
using Symbols.Tests.Files;
using TestKit;

namespace Symbols.Tests.Languages;

/// <summary>Samples in C and C++, compiled with any flags when first asked for.</summary>
internal static class CompiledSamples
{
    private static readonly ConcurrentDictionary<(string, string), Lazy<string>> s_built = new();

    /// <summary>The program, in a folder of its own, with a .dwo file where the flags say so.</summary>
    internal static string Get(string source, string flags) => s_built.GetOrAdd((source, flags), key => new Lazy<string>(() => Build(key.Item1, key.Item2))).Value;

    private static string Build(string source, string flags)
    {
        string folder = Built.Folder(Path.GetFileNameWithoutExtension(source));
        string compiler = source.EndsWith(".cpp", StringComparison.Ordinal) ? "g++" : "gcc";
        HostTool.Require(compiler, compiler);
        Built.Run(folder, compiler, [.. flags.Split(' '), "-c", "-o", "program.o", Repository.PathOf("tests/Symbols.Tests/samples/" + source)]);
        Built.Run(folder, compiler, [.. flags.Contains("-m32", StringComparison.Ordinal) ? (string[])["-m32", "-nostdlib", "-static", "-no-pie"] : [], "-o", "program", "program.o"]);
        return Path.Combine(folder, "program");
    }
}
