using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests.Files;

/// <summary>Stripped programs find their debug files, and only theirs; files that share debug information find what they share.</summary>
public sealed class DebugFileFinderTests
{
    [Theory]
    [InlineData("beside", "")]
    [InlineData("below", ".debug")]
    [InlineData("root", "")]
    [InlineData("build ID", "")]
    [InlineData("folder", "")]
    public void A_stripped_program_finds_its_debug_file(string where, string subfolder)
    {
        string folder = Built.Folder("finder"), root = Built.Folder("root");
        string program = Built.Program(folder, false, "-O2", "-g", "-Wl,--build-id");
        using DebugFiles whole = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
        Assert.False(whole.IsSeparate);
        List<string> expected = Answers.Of(DwarfInfo.Open(whole));
        string id = whole.Program.BuildIdText;
        string place = where switch
        {
            "root" => Path.Combine(root, folder.TrimStart('/')), "build ID" => Path.Combine(root, ".build-id", id[..2]),
            "folder" => Path.Combine(root, "any", "where"), _ => Path.Combine(folder, subfolder),
        };
        Directory.CreateDirectory(place);
        string debug = Path.Combine(place, where == "build ID" ? id[2..] + ".debug" : where == "folder" ? "renamed" : "program.debug");
        Built.Run(folder, "objcopy", "--only-keep-debug", "program", debug);
        // The link has the file's name only; what is found by build ID needs none.
        string[] link = where is "build ID" or "folder" ? [] : [$"--add-gnu-debuglink={debug}"];
        string stripped = Path.Combine(folder, "stripped");
        Built.Run(folder, "objcopy", ["--strip-all", .. link, "program", stripped]);
        if (link.Length > 0) Built.Run(folder, "objcopy", "--remove-section=.note.gnu.build-id", stripped);
        DebugFileFinder finder = where == "folder" ? new([root], []) : new(roots: [root]);
        using DebugFiles files = finder.Find(ElfImage.Open(stripped));
        Assert.True(files.IsSeparate);
        Assert.Equal(debug, files.Debug.Name);
        Assert.Equal(files.Debug, files.SymbolImage);
        Assert.Equal(expected, Answers.Of(DwarfInfo.Open(files)));
        if (link.Length == 0) return;
        // One byte more, and it is another file.
        File.AppendAllText(debug, "x");
        using DebugFiles other = finder.Find(ElfImage.Open(stripped));
        Assert.False(other.IsSeparate);
        Assert.Contains(other.Program.Diagnostics.Entries, entry => entry.Message.Contains("CRC", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-5")]
    public void Files_that_share_debug_information_answer_as_before(string version)
    {
        HostTool.Require("dwz", "dwz");
        string folder = Built.Folder("dwz");
        string program = Built.Program(folder, true, "-O2", version, "-Wl,--build-id");
        using DebugFiles whole = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
        List<string> expected = Answers.Of(DwarfInfo.Open(whole));
        Built.Run(folder, "cp", "program", "twin");
        Built.Run(folder, "dwz", "-m", "shared.debug", "program", "twin");
        using DebugFiles files = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
        Assert.NotNull(files.Supplementary);
        DwarfInfo info = DwarfInfo.Open(files);
        Assert.Equal(expected, Answers.Of(info));
        Assert.True(info.Units.Sum(Answers.ReferencesOf) + info.Set.Supplementary!.Units.Sum(Answers.ReferencesOf) > 100);
        Assert.Contains(info.Units, unit => unit.Bytes.Length > 0);
        Assert.Empty(files.Debug.Diagnostics.Entries);
        File.Delete(Path.Combine(folder, "shared.debug"));
        using DebugFiles without = new DebugFileFinder(roots: []).Find(ElfImage.Open(program));
        Assert.Null(without.Supplementary);
        Assert.Contains(without.Debug.Diagnostics.Entries, entry => entry.Message.Contains("shared.debug", StringComparison.Ordinal));
        Assert.NotNull(DwarfInfo.Open(without).FindLine(without.Program.Symbols.ByName("main")[0].Address));
    }

    [Fact]
    public void The_library_of_this_process_finds_its_debug_file()
    {
        string debug = Samples.Get("libc");
        using DebugFiles files = new DebugFileFinder().Find(ElfImage.Open("/usr/lib/x86_64-linux-gnu/libc.so.6"));
        Assert.Equal(debug, files.Debug.Name);
        DwarfInfo info = DwarfInfo.Open(files);
        ElfSymbol symbol = files.Program.DynamicSymbols.ByName("qsort")[0];
        Assert.Equal("qsort", info.FindFunction(symbol.Address)?.Name);
    }
}
