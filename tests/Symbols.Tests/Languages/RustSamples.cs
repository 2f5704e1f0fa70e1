using System;
using System.Collections.Concurrent;
using System.IO;
using Symbols.Tests.Files;
using TestKit;

namespace Symbols.Tests.Languages;

/// <summary>samples/rust.rs, compiled when first asked for.</summary>
internal static class RustSamples
{
    private static readonly ConcurrentDictionary<int, Lazy<string>> s_built = new();

    internal static string Get(int optimization) => s_built.GetOrAdd(optimization, level => new Lazy<string>(() => Build(level))).Value;

    private static string Build(int optimization)
    {
        string folder = Built.Folder("rust");
        Built.Run(folder, Compiler(), "-g", "-C", $"opt-level={optimization}", "-C", "overflow-checks=off", "-o", "program", Repository.PathOf("tests/Symbols.Tests/samples/rust.rs"));
        return Path.Combine(folder, "program");
    }

    // rustup's place, where Debian's own package is not installed.
    private static string Compiler()
    {
        if (HostTool.Find("rustc") is { } found) return found;
        string own = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cargo", "bin", "rustc");
        if (File.Exists(own)) return own;
        HostTool.Require("rustc", "rustc");
        return "";
    }
}
