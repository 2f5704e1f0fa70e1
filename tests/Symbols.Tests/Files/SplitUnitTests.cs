using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Indexing;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests.Files;

/// <summary>
/// Units that were split off answer what the same program does with all its debug information in one file, which other tests compare with addr2line.
/// </summary>
public sealed class SplitUnitTests
{
    public static TheoryData<bool, string, bool> Kinds
    {
        get
        {
            var kinds = new TheoryData<bool, string, bool>();
            foreach (bool isCpp in (bool[])[false, true])
                foreach (string version in (string[])["-gdwarf-4", "-gdwarf-5"])
                    foreach (bool hasTypes in (bool[])[false, true]) kinds.Add(isCpp, version, hasTypes);
            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Split_units_answer_as_whole_ones(bool isCpp, string version, bool hasTypes)
    {
        string[] flags = ["-O2", version, .. hasTypes ? (string[])["-fdebug-types-section"] : []];
        string folder = Built.Folder("split");
        using DebugFiles whole = Find(Built.Program(folder, isCpp, flags));
        List<string> expected = Answers.Of(DwarfInfo.Open(whole));
        string program = Built.Program(folder, isCpp, [.. flags, "-gsplit-dwarf"]);
        Assert.True(File.Exists(Path.Combine(folder, "first.dwo")));
        Check(program, expected, hasTypes);
        if (version == "-gdwarf-4")
        {
            HostTool.Require("dwp", "binutils");
            Built.Run(folder, "dwp", "-e", "program", "-o", "program.dwp");
        }
        else
        {
            // In a .dwo file each type unit has a section of its own, which objcopy cannot change one by one.
            if (hasTypes) return;
            MakePackage5(folder);
        }
        File.Delete(Path.Combine(folder, "first.dwo"));
        // Two units cannot share the strings of a package that is made by hand: the second one stays a file.
        if (version == "-gdwarf-4") File.Delete(Path.Combine(folder, "second.dwo"));
        Check(program, expected, hasTypes);
        File.Delete(Path.Combine(folder, "program.dwp"));
        using DebugFiles without = Find(program);
        DwarfInfo none = DwarfInfo.Open(without);
        Assert.Null(none.FindFunction(without.Program.Symbols.ByName("main")[0].Address));
        Assert.Contains(without.Debug.Diagnostics.Entries, entry => entry.Message.Contains(".dwo", StringComparison.Ordinal));
    }

    [Fact]
    public void A_split_file_of_another_build_is_told()
    {
        string folder = Built.Folder("stale");
        string program = Built.Program(folder, false, "-O2", "-g", "-gsplit-dwarf");
        Built.Run(folder, "gcc", "-O0", "-g", "-gsplit-dwarf", "-DFREESTANDING", "-c", "-o", "first.o", Repository.PathOf("tests/Symbols.Tests/samples/sample.c"));
        using DebugFiles files = Find(program);
        Assert.Null(DwarfInfo.Open(files).FindFunction(files.Program.Symbols.ByName("sum")[0].Address));
        Assert.NotNull(DwarfInfo.Open(files).FindFunction(files.Program.Symbols.ByName("length")[0].Address));
        Assert.Contains(files.Debug.Diagnostics.Entries, entry => entry.Message.Contains("is not the one", StringComparison.Ordinal));
    }

    private static void Check(string program, List<string> expected, bool hasTypes)
    {
        using DebugFiles files = Find(program);
        DwarfInfo info = DwarfInfo.Open(files);
        Assert.Equal(expected, Answers.Of(info));
        int references = info.Units.Sum(Answers.ReferencesOf);
        Assert.True(references > 20);
        NamedEntry node = info.Index.Find("node", NamedKinds.Structure).Concat(info.Index.Find("shapes::rectangle", NamedKinds.Class)).First(entry => !entry.IsDeclaration);
        Assert.True(node.Unit.Sections.IsSplit);
        Assert.Equal(hasTypes, node.Unit.Header.IsType);
        Assert.Empty(files.Debug.Diagnostics.Entries);
    }

    private static DebugFiles Find(string program) => new DebugFileFinder(roots: []).Find(ElfImage.Open(program));

    // binutils makes no packages of version 5. One by the book (DWARF 5, 7.3.5): the sections of first.dwo, each behind some bytes that are not its own.
    private static void MakePackage5(string folder)
    {
        HostTool.Require("objcopy", "binutils");
        (string Name, uint Kind)[] columns =
            [(".debug_info", 1), (".debug_abbrev", 3), (".debug_line", 4), (".debug_loclists", 5), (".debug_str_offsets", 6), (".debug_rnglists", 8)];
        using ElfImage split = ElfImage.Open(Path.Combine(folder, "first.dwo"));
        var units = UnitHeaderParser.ReadAll(split.Data(".debug_info.dwo"), split.Diagnostics);
        var arguments = new List<string>();
        var ranges = new Dictionary<uint, (uint Offset, uint Size)>();
        foreach ((string name, uint kind) in columns)
        {
            byte[] content = split.Data(name + ".dwo").All().ToArray();
            if (content.Length == 0) continue;
            uint padding = 16 * kind;
            ranges[kind] = (padding, (uint)content.Length);
            string file = Path.Combine(folder, name[1..]);
            File.WriteAllBytes(file, [.. Enumerable.Repeat((byte)0xee, (int)padding), .. content]);
            arguments.AddRange(["--update-section", $"{name}.dwo={file}"]);
        }
        foreach ((string name, bool areTypes) in ((string, bool)[])[("cu_index", false), ("tu_index", true)])
        {
            List<UnitHeader> rows = units.FindAll(unit => unit.IsType == areTypes);
            string file = Path.Combine(folder, name);
            File.WriteAllBytes(file, Index5(rows, ranges));
            arguments.AddRange(["--add-section", $".debug_{name}={file}"]);
        }
        Built.Run(folder, "objcopy", [.. arguments, "first.dwo", "program.dwp"]);
    }

    private static byte[] Index5(List<UnitHeader> units, Dictionary<uint, (uint Offset, uint Size)> ranges)
    {
        int slots = 16;
        byte[] bytes = new byte[16 + (slots * 12) + (ranges.Count * 4) + (units.Count * ranges.Count * 8)];
        void Put(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
        (int at, uint value)[] header = [(0, 5), (4, (uint)ranges.Count), (8, (uint)units.Count), (12, (uint)slots)];
        foreach ((int at, uint value) in header) Put(at, value);
        int rows = 16 + (slots * 8), kinds = rows + (slots * 4), offsets = kinds + (ranges.Count * 4), sizes = offsets + (units.Count * ranges.Count * 4);
        for (int row = 0; row < units.Count; row++)
        {
            ulong signature = units[row].Signature;
            ulong slot = signature & 15;
            while (BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16 + ((int)slot * 8))) != 0) slot = (slot + ((signature >> 32) & 15 | 1)) & 15;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16 + ((int)slot * 8)), signature);
            Put(rows + ((int)slot * 4), (uint)row + 1);
            int column = 0;
            foreach ((uint kind, (uint offset, uint size)) in ranges)
            {
                Put(kinds + (column * 4), kind);
                // In version 5 type units are in .debug_info too, each a contribution of its own.
                Put(offsets + (((row * ranges.Count) + column) * 4), kind == 1 ? offset + (uint)units[row].Offset : offset);
                Put(sizes + (((row * ranges.Count) + column) * 4), kind == 1 ? (uint)units[row].SizeBytes : size);
                column++;
            }
        }
        return bytes;
    }
}
