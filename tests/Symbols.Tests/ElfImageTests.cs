using System;
using System.Globalization;
using System.IO;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>Headers, build IDs, links to debug files and compression, against readelf and objcopy.</summary>
public sealed class ElfImageTests
{
    public static TheoryData<string> All => Samples.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Sections_are_those_of_readelf(string sample)
    {
        string path = Samples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        int count = 0;
        // [ 1] .text PROGBITS ffffffff80101000 002000 002000 00 AX 0 0 1
        foreach (string line in HostTool.Run("readelf", ["-S", "-W", path], TimeSpan.FromMinutes(1)).Output.Split('\n'))
        {
            int bracket = line.IndexOf(']', StringComparison.Ordinal);
            if (!line.StartsWith("  [", StringComparison.Ordinal) || !int.TryParse(line.AsSpan(3, bracket - 3), out int index)) continue;
            string[] words = line[(bracket + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (index == 0) continue;
            ElfSection section = image.Sections[index];
            Assert.Equal((words[0], Hex(words[2]), Hex(words[3]), Hex(words[4])), (section.Name, section.Address, section.Offset, section.SizeBytes));
            count++;
        }
        Assert.Equal(image.Sections.Count - 1, count);
        string notes = HostTool.Run("readelf", ["-n", path], TimeSpan.FromMinutes(1)).Output;
        string buildId = notes.Contains("Build ID:", StringComparison.Ordinal) ? notes.Split("Build ID: ")[1].Split('\n')[0] : "";
        Assert.Equal(buildId, image.BuildIdText);
        string segments = HostTool.Run("readelf", ["-l", "-W", path], TimeSpan.FromMinutes(1)).Output;
        Assert.Equal(segments.Split('\n').Count(line => line.StartsWith("  LOAD", StringComparison.Ordinal)),
            image.Segments.Count(segment => segment.Type == ElfSegment.LoadType));
        Assert.Empty(image.Diagnostics.Entries);
    }

    [Fact]
    public void A_link_to_a_debug_file_is_read()
    {
        string folder = Samples.Folder();
        string program = Samples.Get("c-O2-dwarf5"), debug = Path.Combine(folder, "linked.debug"), stripped = Path.Combine(folder, "stripped");
        Run("objcopy", "--only-keep-debug", program, debug);
        Run("objcopy", "--strip-debug", $"--add-gnu-debuglink={debug}", program, stripped);
        using ElfImage image = ElfImage.Open(stripped);
        using ElfImage debugImage = ElfImage.Open(debug);
        Assert.Equal("linked.debug", image.DebugLink);
        Assert.Equal(Crc32(File.ReadAllBytes(debug)), image.DebugLinkCrc);
        Assert.Equal(image.BuildIdText, debugImage.BuildIdText);
        Assert.True(debugImage.IsMapped(debugImage.Symbols.ByName("main")[0].Address));
        Assert.False(Dwarf.DwarfInfo.Open(image).HasUnits);
        Assert.NotNull(Dwarf.DwarfInfo.Open(debugImage).FindLine(debugImage.Symbols.ByName("main")[0].Address));
    }

    [Fact]
    public void Zstd_is_named()
    {
        string output = Path.Combine(Samples.Folder(), "zstd");
        ToolResult result = HostTool.Run("objcopy", ["--compress-debug-sections=zstd", Samples.Get("c-O2-dwarf5"), output], TimeSpan.FromMinutes(1));
        if (result.ExitCode != 0) Requirement.Missing("objcopy cannot compress with zstd", "apt-get install binutils");
        using ElfImage image = ElfImage.Open(output);
        Assert.Null(Dwarf.DwarfInfo.Open(image).FindLine(image.Symbols.ByName("main")[0].Address));
        Assert.Contains(image.Diagnostics.Entries, entry => entry.Message.Contains("zstd", StringComparison.Ordinal));
    }

    [Fact]
    public void Split_units_are_named()
    {
        string output = Path.Combine(Samples.Folder(), "split");
        Run("gcc", "-g", "-gsplit-dwarf", "-o", output, Repository.PathOf("tests/Symbols.Tests/samples/sample.c"));
        using ElfImage image = ElfImage.Open(output);
        Dwarf.DwarfInfo info = Dwarf.DwarfInfo.Open(image);
        Assert.InRange(info.FindLine(image.Symbols.ByName("main")[0].Address)!.Value.Line, 60u, 75u);
        Assert.Null(info.FindFunction(image.Symbols.ByName("main")[0].Address));
        Assert.Contains(image.Diagnostics.Entries, entry => entry.Message.Contains(".dwo", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7F 45 4C")]
    [InlineData("4D 5A 90 00")]
    [InlineData("7F 45 4C 46 02 01 01")]
    public void What_is_not_ELF_is_one_sentence(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        SymbolFormatException e = Assert.Throws<SymbolFormatException>(() => ElfImage.Open(bytes, "file"));
        Assert.StartsWith("file is not ", e.Message, StringComparison.Ordinal);
        Assert.Throws<SymbolFormatException>(() => ElfImage.Open("/no/such/file"));
    }

    private static void Run(string tool, params string[] arguments)
    {
        HostTool.Require(tool, tool == "gcc" ? "gcc" : "binutils");
        ToolResult result = HostTool.Run(tool, arguments, TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
    }

    // The CRC-32 of zlib and Ethernet (GDB manual, "Separate Debug Files").
    private static uint Crc32(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte next in bytes)
        {
            crc ^= next;
            for (int i = 0; i < 8; i++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
        }
        return ~crc;
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
