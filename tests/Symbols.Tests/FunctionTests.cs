using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Symbols.Dwarf;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>Functions, inlined calls, files and lines at addresses equal what addr2line and objdump say.</summary>
public sealed partial class FunctionTests
{
    private const int MaximumAddresses = 4000;

    public static TheoryData<string> All => Samples.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Frames_are_those_of_addr2line(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        List<ulong> addresses = Addresses(info);
        // addr2line 2.40 finds no lines in the 64-bit format of version 5 and in .zdebug_ sections, and no inlined calls beside type units;
        // the same code in the ordinary format has the same answers.
        string twin = sample switch { "c-O2-dwarf64" or "c-O2-types" => "c-O2-dwarf5", "c-O2-zlib-gnu" => "c-O2-zlib", _ => sample };
        Dictionary<ulong, List<string>> expected = AddressToLine(Samples.Get(twin), addresses);
        var differences = new SortedDictionary<ulong, string>();
        var doubtful = new Dictionary<ulong, SourceFrame>();
        foreach (ulong address in addresses)
        {
            IReadOnlyList<SourceFrame> frames = info.FramesAt(address);
            List<string> theirs = expected[address];
            bool isEqual = frames.Count == theirs.Count;
            for (int i = 0; i < frames.Count && isEqual; i++) isEqual = Texts(image, address, frames[i]).Contains(theirs[i]);
            // Padding between functions: the line table covers it, no function does. addr2line names the function before it.
            bool isPadding = frames is [{ Function: null }] && image.Symbols.Find(address) is null && theirs.Count == 1
                && theirs[0].EndsWith(" " + Location(frames[0]), StringComparison.Ordinal);
            if (isEqual || isPadding) continue;
            if (IsFileOnly(frames, theirs)) doubtful[address] = frames[0];
            string ours = string.Join(" < ", frames.Select(frame => Texts(image, address, frame)[0]));
            differences[address] = $"0x{address:x}\n   ours   {ours}\n   theirs {string.Join(" < ", theirs)}";
        }
        foreach (ulong address in ConfirmedByGdb(Samples.Get(sample), doubtful)) differences.Remove(address);
        Assert.True(differences.Count == 0, $"{differences.Count} of {addresses.Count} differ:\n{string.Join('\n', differences.Values.Take(20))}");
        Assert.True(addresses.Count > 15);
        Assert.Empty(image.Diagnostics.Entries);
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {addresses.Count} addresses");
    }

    [Theory]
    [InlineData("prebuilt")]
    [InlineData("conformance32.elf")]
    [InlineData("c-O2-dwarf4")]
    public void Lines_of_all_instructions_are_those_of_objdump(string sample)
    {
        string path = Samples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        DwarfInfo info = DwarfInfo.Open(image);
        string current = "";
        int compared = 0;
        foreach (string line in HostTool.Run("objdump", ["-dl", "--no-show-raw-insn", path], TimeSpan.FromMinutes(1)).Output.Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (line.StartsWith(' ') && colon > 0
                && ulong.TryParse(line.AsSpan(0, colon), NumberStyles.AllowHexSpecifier | NumberStyles.AllowLeadingWhite, null, out ulong address))
            {
                // objdump goes on with the last line where there is none, which is not an answer.
                if (info.FindLine(address) is not { } location) continue;
                Assert.Equal($"0x{address:x} {current}", $"0x{address:x} {location.Path}:{location.Line}");
                compared++;
            }
            else if (colon > 0 && !line.EndsWith(':') && line.Contains('/', StringComparison.Ordinal)) current = line.Split(" (discr")[0].Trim();
        }
        Assert.True(compared > 50);
    }

    [Theory]
    [InlineData("prebuilt")]
    [InlineData("c++-O2")]
    [InlineData("libc")]
    public void Functions_are_found_by_name_and_lie_where_the_symbol_does(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        int found = 0;
        foreach (ElfSymbol symbol in image.Symbols.Symbols.Where(symbol => symbol is { IsFunction: true, SizeBytes: > 0, IsDefined: true }))
        {
            if (info.FindFunction(symbol.Address) is not { } function || function.EntryPc != symbol.Address) continue;
            Assert.Contains(info.FunctionsByName(function.Name!), other => other.EntryPc == symbol.Address);
            Assert.Contains(function.Ranges, range => range == symbol.Range);
            Assert.InRange(info.AfterPrologue(function), function.EntryPc, symbol.Range.End);
            found++;
        }
        Assert.True(found > 3, $"{found} functions");
        Assert.Empty(info.FunctionsByName("no such function"));
    }

    [Fact]
    public void The_prologue_ends_where_gdb_breaks()
    {
        HostTool.Require("gdb", "gdb");
        string path = Samples.Get("c-O0-dwarf5");
        using ElfImage image = ElfImage.Open(path);
        DwarfInfo info = DwarfInfo.Open(image);
        foreach (string name in (string[])["main", "sum", "choose", "recurse", "square", "report", "elsewhere"])
        {
            string output = HostTool.Run("gdb", ["-nx", "-batch", "-ex", $"break {name}", path], TimeSpan.FromMinutes(1)).Output;
            string hex = output.Split("0x")[1].Split(':')[0];
            Assert.Equal((name, hex), (name, $"{info.AfterPrologue(info.FunctionsByName(name).Single()):x}"));
        }
    }

    // addr2line names the unit's own file for some rows that the line table gives to a file included in it (readelf shows the rows as
    // we do): the line is the same, and gdb is the judge of the file.
    private static bool IsFileOnly(IReadOnlyList<SourceFrame> frames, List<string> theirs) =>
        frames.Count == theirs.Count && theirs[0].EndsWith($":{frames[0].Line}", StringComparison.Ordinal);

    private static HashSet<ulong> ConfirmedByGdb(string path, Dictionary<ulong, SourceFrame> doubtful)
    {
        var confirmed = new HashSet<ulong>();
        if (doubtful.Count == 0) return confirmed;
        HostTool.Require("gdb", "gdb");
        string[] arguments = ["-nx", "-batch", .. doubtful.Keys.SelectMany(address => new[] { "-ex", $"info line *0x{address:x}" }), path];
        // Line 49 of "./intl/eval-plural.h" starts at address 0x35965 <plural_eval+133> and ends at ...
        foreach (string line in HostTool.Run("gdb", arguments, TimeSpan.FromMinutes(5)).Output.Split('\n'))
        {
            if (GdbLine().Match(line) is not { Success: true } match) continue;
            string theirs = SourcePath.Normalize(match.Groups[1].Value).Replace("../", "", StringComparison.Ordinal);
            var range = new AddressRange(Hex(match.Groups[2].Value), Hex(match.Groups[3].Value));
            foreach ((ulong address, SourceFrame frame) in doubtful)
                if (range.Contains(address) && SourcePath.Matches(theirs, SourcePath.Normalize(frame.Path!))) confirmed.Add(address);
        }
        return confirmed;
    }

    // binutils says the linkage name if there is one; where there is none, in a language that mangles names and for parts that the compiler
    // split off (sum.cold), it says the name of one of the symbols there.
    private static List<string> Texts(ElfImage image, ulong address, SourceFrame frame)
    {
        var names = new List<string> { frame.LinkageName ?? frame.FunctionName ?? "??" };
        bool isMangling = frame is { LinkageName: null, Function.UnitName: { } unit } && unit.EndsWith(".cpp", StringComparison.Ordinal);
        if ((!frame.IsInlined || isMangling) && image.Symbols.FindFunction(address) is { } hit)
            foreach (ElfSymbol symbol in image.Symbols.At(hit.Symbol.Address)) names.Add(image.Symbols.NameOf(symbol));
        List<string> texts = names.ConvertAll(name => $"{name} {Location(frame)}");
        // Version 5 repeats the compilation directory as entry 0; where it is relative, binutils puts it before itself: ./csu/./csu/x.c.
        if (frame is { Function.Unit.CompileDirectory: ['.', '/', ..] directory, Path: { } path } && path.StartsWith(directory, StringComparison.Ordinal))
            texts.AddRange(names.ConvertAll(name => $"{name} {directory}/{Location(frame)}"));
        return texts;
    }

    private static string Location(SourceFrame frame) => $"{frame.Path ?? "??"}:{(frame.Line == 0 ? "?" : frame.Line)}";

    // Spread over all rows of code: every address for small programs.
    private static List<ulong> Addresses(DwarfInfo info)
    {
        var all = new SortedSet<ulong>();
        foreach (LineTable table in info.LineTables())
            foreach (LineRow row in table.Rows)
                if (!row.IsEndSequence && info.FindLine(row.Address) is not null) all.Add(row.Address);
        int step = Math.Max(1, all.Count / MaximumAddresses);
        return [.. all.Where((_, index) => index % step == 0)];
    }

    private static Dictionary<ulong, List<string>> AddressToLine(string path, List<ulong> addresses)
    {
        var found = new Dictionary<ulong, List<string>>();
        foreach (ulong[] chunk in addresses.Chunk(1000))
        {
            string[] arguments = ["-a", "-f", "-i", "-e", path, .. chunk.Select(address => $"0x{address:x}")];
            string[] lines = HostTool.Run("addr2line", arguments, TimeSpan.FromMinutes(5)).Output.Split('\n');
            List<string>? frames = null;
            for (int i = 0; i < lines.Length - 1; i++)
            {
                if (lines[i].StartsWith("0x", StringComparison.Ordinal))
                    found[ulong.Parse(lines[i].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)] = frames = [];
                else frames!.Add($"{lines[i]} {lines[++i].Split(" (disc")[0]}");
            }
        }
        return found;
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex("^Line \\d+ of \"([^\"]+)\" starts at address 0x([0-9a-f]+)[^.]* and ends at 0x([0-9a-f]+)")]
    private static partial Regex GdbLine();
}
