using System;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests.Languages;

/// <summary>Variables of C and C++ programs in every frame at every stop, against gdb: optimized or not, 32-bit, and with what describes them split off.</summary>
public sealed class CompiledTests
{
    [Theory]
    [InlineData("locals.cpp", "-O0 -g")]
    [InlineData("locals.cpp", "-O2 -g")]
    [InlineData("locals.cpp", "-O0 -gdwarf-4")]
    [InlineData("locals.cpp", "-O2 -gdwarf-4")]
    [InlineData("locals.cpp", "-O2 -gdwarf-4 -gsplit-dwarf")]
    [InlineData("locals.cpp", "-O2 -gdwarf-5 -gsplit-dwarf")]
    [InlineData("locals.c", "-O0 -g -m32 -ffreestanding -DFREESTANDING")]
    [InlineData("locals.c", "-O2 -g -m32 -ffreestanding -DFREESTANDING")]
    [InlineData("locals.c", "-O2 -gdwarf-4 -m32 -ffreestanding -DFREESTANDING")]
    [InlineData("wide.c", "-O0 -g")]
    [InlineData("wide.c", "-O1 -g")]
    [InlineData("wide.c", "-O2 -g")]
    [InlineData("wide.c", "-O2 -gdwarf-4")]
    [InlineData("wide.c", "-O2 -gdwarf-4 -gsplit-dwarf")]
    [InlineData("wide.c", "-O3 -mavx2 -g")]
    public void Variables_are_gdbs(string source, string flags)
    {
        string program = CompiledSamples.Get(source, flags);
        using DebugFiles files = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
        FrameComparison comparison = FrameComparison.Of(program, Known, Known, files);
        Assert.True(comparison.Wrong.Count == 0, string.Join('\n', comparison.Wrong));
        Assert.True(comparison.Count > 40, $"only {comparison.Count} values");
        TestContext.Current.TestOutputHelper?.WriteLine($"{source} {flags}: {comparison.Count} values, {comparison.OptimizedOut} of them optimized out");
    }

    // decltype(nullptr) is a type that nothing is said about: neither has a value of it. Numbers of 128 bits that the compiler describes by a computation have none either:
    // we compute with 64 bits, and gdb's scripts cannot take its own result.
    private static string? Known(string value)
    {
        // How long this one is is optimized out.
        if (value.StartsWith("nothing=", StringComparison.Ordinal) || value == "table=error no such vector element") return null;
        int end = value.IndexOf("=error That operation is not available on integers of more than 8 bytes.", StringComparison.Ordinal);
        return end < 0 ? value : value[..end] + "=error";
    }
}
