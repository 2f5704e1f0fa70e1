using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>Programs to compare with binutils over: our kernels, glibc's debug file, Debian's busybox, and samples compiled when first asked for.</summary>
internal static class Samples
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> s_built = new();

    private static readonly Dictionary<string, string[]> s_flags = new()
    {
        ["c-O0-dwarf2"] = ["-O0", "-gdwarf-2", "-gstrict-dwarf"],
        ["c-O2-dwarf2"] = ["-O2", "-gdwarf-2"],
        ["c-O0-dwarf3"] = ["-O0", "-gdwarf-3"],
        ["c-O2-dwarf3"] = ["-O2", "-gdwarf-3", "-gstrict-dwarf"],
        ["c-O0-dwarf4"] = ["-O0", "-gdwarf-4"],
        ["c-O2-dwarf4"] = ["-O2", "-gdwarf-4"],
        ["c-O0-dwarf5"] = ["-O0", "-gdwarf-5"],
        ["c-O2-dwarf5"] = ["-O2", "-gdwarf-5"],
        ["c-O2-dwarf64"] = ["-O2", "-gdwarf-5", "-gdwarf64"],
        ["c-O2-dwarf64-4"] = ["-O2", "-gdwarf-4", "-gdwarf64"],
        ["c-O2-types"] = ["-O2", "-gdwarf-5", "-fdebug-types-section"],
        ["c-O2-gc"] = ["-O2", "-g", "-ffunction-sections", "-Wl,--gc-sections"],
        ["c-O2-zlib"] = ["-O2", "-g", "-gz=zlib"],
        ["c-O2-zlib-gnu"] = ["-O2", "-g", "-gz=zlib-gnu"],
        ["c-O2-debug-frame"] = ["-O2", "-g", "-fno-asynchronous-unwind-tables", "-fno-omit-frame-pointer"],
        ["c-m32-O0"] = ["-m32", "-O0", "-gdwarf-4", "-DFREESTANDING", "-nostdlib", "-static", "-ffreestanding"],
        ["c-m32-O2"] = ["-m32", "-O2", "-gdwarf-5", "-DFREESTANDING", "-nostdlib", "-static", "-ffreestanding"],
        ["c++-O0"] = ["-O0", "-g"],
        ["c++-O2"] = ["-O2", "-g"],
        ["c++-O2-dwarf4"] = ["-O2", "-gdwarf-4"],
    };

    /// <summary>Names for <see cref="Get"/>, one for each combination of compiler and format.</summary>
    internal static TheoryData<string> Compiled => [.. s_flags.Keys];

    internal static TheoryData<string> Kernels => ["prebuilt", "demo64.elf", "demo32.elf", "conformance64.elf", "conformance32.elf"];

    internal static TheoryData<string> All => [.. Kernels, .. Compiled, "libc", "busybox"];

    /// <summary>The path of a program with debug information.</summary>
    internal static string Get(string name)
    {
        HostTool.Require("readelf", "binutils");
        if (name == "prebuilt") return GuestImages.PrebuiltDemo64;
        if (name == "libc") return LibcDebugFile();
        if (name == "busybox") return GuestImages.BusyboxWithSymbols();
        if (name.EndsWith(".elf", StringComparison.Ordinal)) return GuestImages.Own(name);
        bool isCpp = name.StartsWith("c++", StringComparison.Ordinal);
        HostTool.Require(isCpp ? "g++" : "gcc", isCpp ? "g++" : "gcc");
        return s_built.GetOrAdd(name, _ => new Lazy<string>(() => Compile(name, isCpp))).Value;
    }

    internal static string Folder()
    {
        string folder = Path.Combine(Repository.Artifacts, "symbols", Environment.ProcessId.ToString());
        Directory.CreateDirectory(folder);
        return folder;
    }

    private static string Compile(string name, bool isCpp)
    {
        string output = Path.Combine(Folder(), name);
        string source = Repository.PathOf(isCpp ? "tests/Symbols.Tests/samples/sample.cpp" : "tests/Symbols.Tests/samples/sample.c");
        ToolResult result = HostTool.Run(isCpp ? "g++" : "gcc", [.. s_flags[name], "-o", output, source], TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0, $"{name} does not compile: {result.Error}");
        return output;
    }

    // Found by the build ID of the library that this process runs on.
    private static string LibcDebugFile()
    {
        const string Library = "/usr/lib/x86_64-linux-gnu/libc.so.6";
        if (!File.Exists(Library)) Requirement.Missing("there is no glibc for x86-64", "apt-get install libc6");
        using Elf.ElfImage image = Elf.ElfImage.Open(Library);
        string path = $"/usr/lib/debug/.build-id/{image.BuildIdText[..2]}/{image.BuildIdText[2..]}.debug";
        if (!File.Exists(path)) Requirement.Missing("glibc's debug file is not installed", "apt-get install libc6-dbg");
        return path;
    }
}
