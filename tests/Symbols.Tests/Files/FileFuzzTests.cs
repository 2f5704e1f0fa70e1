using System;
using System.IO;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests.Files;

/// <summary>Damaged files beside a sound program: .dwo files, packages, supplementary files and the links to them.</summary>
public sealed class FileFuzzTests
{
    private const int CasesPerSection = 60;

    [Theory]
    [InlineData("-gdwarf-4", "first.dwo")]
    [InlineData("-gdwarf-5", "first.dwo")]
    [InlineData("-gdwarf-4", "program.dwp")]
    [InlineData("-gdwarf-5", "shared.debug")]
    [InlineData("-gdwarf-4", "program")]
    public void Damaged_files_give_diagnostics(string version, string victim)
    {
        bool isShared = victim is "shared.debug" or "program";
        string folder = Built.Folder("fuzz");
        string program = Built.Program(folder, true, ["-O2", version, "-Wl,--build-id", .. isShared ? (string[])[] : ["-fdebug-types-section", "-gsplit-dwarf"]]);
        if (victim == "program.dwp")
        {
            HostTool.Require("dwp", "binutils");
            Built.Run(folder, "dwp", "-e", "program", "-o", victim);
        }
        if (isShared)
        {
            HostTool.Require("dwz", "dwz");
            Built.Run(folder, "cp", "program", "twin");
            Built.Run(folder, "dwz", "-m", "shared.debug", "program", "twin");
        }
        string path = Path.Combine(folder, victim);
        byte[] good = File.ReadAllBytes(path);
        using ElfImage image = ElfImage.Open(good, victim);
        int noticed = 0;
        foreach (ElfSection section in image.Sections.Where(static section => section.SizeBytes > 0 && section.Type != ElfSection.NoBitsType
            && (section.Name.StartsWith(".debug", StringComparison.Ordinal) || section.Name.StartsWith(".gnu_debug", StringComparison.Ordinal))))
        {
            for (int seed = 0; seed < CasesPerSection; seed++)
            {
                File.WriteAllBytes(path, FuzzTests.Damage(good, (int)section.Offset, (int)section.SizeBytes, seed));
                bool isNoticed = FuzzTests.Survive(() =>
                {
                    using DebugFiles files = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
                    return FuzzTests.ReadEverything(files.Debug, DwarfInfo.Open(files));
                }, $"{version} {victim}, {section.Name}, seed {seed}");
                noticed += isNoticed ? 1 : 0;
            }
        }
        Assert.True(noticed > 20, $"only {noticed} cases were noticed");
    }
}
