using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Elf;
using Symbols.Tests.Files;
using Symbols.Types;
using TestKit;
using Xunit;

namespace Symbols.Tests.Macros;

/// <summary>Macros of compiled programs against readelf, in every format that GCC writes, and in files that dwz and split units have taken apart.</summary>
public sealed class MacroTests
{
    public static TheoryData<string> Flags => MacroSamples.Flags;

    [Theory]
    [MemberData(nameof(Flags))]
    public void Definitions_are_readelfs(string flags)
    {
        string program = MacroSamples.Get(flags);
        List<List<string>> expected = ReadelfMacros.Read(program);
        using ElfImage image = ElfImage.Open(program);
        DwarfInfo info = DwarfInfo.Open(image);
        Assert.Equal(2, expected.Count);
        for (int unit = 0; unit < 2; unit++)
        {
            Assert.True(expected[unit].Count > 300);
            Assert.Equal(expected[unit], Lines(info, unit));
        }
        Assert.Contains(expected[0], line => line == "6 macros.c PAGE_SIZE (1UL << PAGE_SHIFT)");
        Assert.Empty(image.Diagnostics.Entries);
    }

    [Theory]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-5")]
    public void What_dwz_moved_into_another_file_is_found(string flags)
    {
        HostTool.Require("dwz", "dwz");
        string program = MacroSamples.Build(flags), folder = Path.GetDirectoryName(program)!;
        List<List<string>> expected = ReadelfMacros.Read(program);
        File.Copy(program, Path.Combine(folder, "twin"));
        Built.Run(folder, "dwz", [.. flags == "-gdwarf-5" ? (string[])["--dwarf-5"] : [], "-m", "common.debug", "program", "twin"]);
        using DebugFiles files = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
        DwarfInfo info = DwarfInfo.Open(files);
        Assert.NotNull(files.Supplementary);
        Assert.Contains(Lines(info, 0), line => line == "6 macros.c PAGE_SIZE (1UL << PAGE_SHIFT)");
        for (int unit = 0; unit < 2; unit++) Assert.Equal(expected[unit], Lines(info, unit));
    }

    [Fact]
    public void Split_units_have_the_macros_of_their_own_source()
    {
        // GCC 12 leaves the imports in .dwo files without relocations: which part is meant cannot be known, and is told.
        List<string> expected = ReadelfMacros.Read(MacroSamples.Get("-gdwarf-5"))[0].FindAll(line => line.Contains(" macros.c ", StringComparison.Ordinal));
        using DebugFiles files = new DebugFileFinder(roots: []).Find(ElfImage.Open(MacroSamples.Get("-gdwarf-5 -gsplit-dwarf")));
        Assert.Equal(expected, Lines(DwarfInfo.Open(files), 0).FindAll(line => line.Contains(" macros.c ", StringComparison.Ordinal)));
        Assert.Contains(files.Debug.Diagnostics.Entries, entry => entry.Message.Contains("import themselves", StringComparison.Ordinal));
    }

    [Fact]
    public void A_name_is_found_in_any_unit()
    {
        using ElfImage image = ElfImage.Open(MacroSamples.Get("-gdwarf-5"));
        DwarfInfo info = DwarfInfo.Open(image);
        MacroDefinition there = info.FindMacro("ONLY_THERE")!;
        Assert.Equal(("(HEADER_SIZE + 2)", 2u, "macros-other.c"), (there.Body, there.Line, Path.GetFileName(there.Path)));
        Assert.Equal(["a", "b"], info.FindMacro("MAX")!.Parameters!);
        Assert.Empty(info.FindMacro("NOTHING")!.Parameters!);
        Assert.Null(info.FindMacro("ONE_PLUS")!.Parameters);
        Assert.Equal("", info.FindMacro("EMPTY")!.Body);
        Assert.Null(info.FindMacro("NOT_THERE"));
        Assert.Null(DwarfInfo.Open(ElfImage.Open(Samples.Get("c-O2-dwarf5"))).FindMacro("NULL"));
    }

    [Theory]
    [InlineData("-gdwarf-5", ".debug_macro")]
    [InlineData("-gdwarf-4", ".debug_macro")]
    [InlineData("-gdwarf-4 -gstrict-dwarf", ".debug_macinfo")]
    public void Damaged_macros_give_diagnostics(string flags, string section)
    {
        byte[] good = File.ReadAllBytes(MacroSamples.Get(flags));
        using ElfImage image = ElfImage.Open(good, flags);
        ElfSection victim = image.Section(section)!;
        int noticed = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            // Most of it are texts, which mean nothing: half of the damage is done where the first unit's list begins.
            int size = seed % 2 == 0 ? (int)victim.SizeBytes : 96;
            byte[] bytes = FuzzTests.Damage(good, (int)victim.Offset, size, seed);
            noticed += FuzzTests.Survive(() => ReadAll(bytes), $"{flags}, seed {seed}") ? 1 : 0;
        }
        Assert.True(noticed > 100, $"only {noticed} cases were noticed");
    }

    private static bool ReadAll(byte[] bytes)
    {
        using ElfImage image = ElfImage.Open(bytes, "damaged");
        DwarfInfo info = DwarfInfo.Open(image);
        for (int unit = 0; unit < info.UnitCount; unit++)
            foreach (MacroDefinition macro in info.MacrosOf(unit)) _ = (macro.Name, macro.Path);
        info.FindMacro("PAGE_SIZE");
        ulong main = image.Symbols.ByName("main") is [{ } symbol, ..] ? symbol.Address : 0;
        foreach (var frame in info.FramesAt(main)) info.FindMacro("PAGE_SIZE", frame);
        return image.Diagnostics.Count > 0;
    }

    // As ReadelfMacros has them.
    private static List<string> Lines(DwarfInfo info, int unit) =>
        [.. info.MacrosOf(unit).Select(macro => $"{macro.Line} {(macro.Path is { } path ? Path.GetFileName(path) : "-")} {Text(macro)}".TrimEnd())];

    private static string Text(MacroDefinition macro) => $"{macro.Name}{(macro.Parameters is { } names ? $"({string.Join(',', names)})" : "")} {macro.Body}";
}
