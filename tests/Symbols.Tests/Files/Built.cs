using System;
using System.IO;
using System.Linq;
using TestKit;
using Xunit;

namespace Symbols.Tests.Files;

/// <summary>Programs that several files describe, made with the real tools in folders of their own.</summary>
internal static class Built
{
    /// <summary>A new folder.</summary>
    internal static string Folder(string name)
    {
        string folder = Path.Combine(Samples.Folder(), name + "-" + Guid.NewGuid().ToString("n")[..8]);
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Compiles the samples, sample.c or sample.cpp with a second unit, into FOLDER/program.</summary>
    internal static string Program(string folder, bool isCpp, params string[] flags)
    {
        string compiler = isCpp ? "g++" : "gcc";
        string source = Repository.PathOf(isCpp ? "tests/Symbols.Tests/samples/sample.cpp" : "tests/Symbols.Tests/samples/sample.c");
        string second = Repository.PathOf(isCpp ? "tests/Symbols.Tests/samples/second.cpp" : "tests/Symbols.Tests/samples/second.c");
        HostTool.Require(compiler, compiler);
        Run(folder, compiler, [.. flags, "-c", "-o", "first.o", source]);
        Run(folder, compiler, [.. flags, "-c", "-o", "second.o", second]);
        Run(folder, compiler, [.. flags.Where(static flag => flag.StartsWith("-Wl", StringComparison.Ordinal)), "-o", "program", "first.o", "second.o"]);
        return Path.Combine(folder, "program");
    }

    internal static void Run(string folder, string tool, params string[] arguments)
    {
        ToolResult result = HostTool.Run(tool, arguments, TimeSpan.FromMinutes(2), folder);
        Assert.True(result.ExitCode == 0, $"{tool} {string.Join(' ', arguments)}: {result.Error}");
    }
}
