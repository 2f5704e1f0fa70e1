using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Symbols.Tests.Files;
using TestKit;
using Xunit;

namespace Symbols.Tests.Indexing;

/// <summary>The index has all names, lines and functions that the debug information has, and a cache gives it back as it was or not at all.</summary>
public sealed partial class DebugIndexTests
{
    [Theory]
    [InlineData("prebuilt")]
    [InlineData("c-O2-dwarf5")]
    [InlineData("c-O2-types")]
    [InlineData("c++-O2")]
    [InlineData("c-m32-O2")]
    [InlineData("libc")]
    public void Indexed_answers_are_those_of_the_units(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo plain = DwarfInfo.Open(image), indexed = DwarfInfo.Open(image);
        Assert.True(indexed.PrepareIndex(null).Run(null, CancellationToken.None));
        foreach (DebugUnit unit in plain.Units)
        {
            foreach (DebugFunction function in unit.Functions)
            {
                if (!image.IsMapped(function.EntryPc)) continue;
                foreach (AddressRange range in function.Ranges)
                    foreach (ulong address in (ulong[])[range.Start, range.Start + (range.SizeBytes / 2), range.End - 1, range.End])
                        Assert.Equal(plain.FindFunction(address)?.DieOffset, indexed.FindFunction(address)?.DieOffset);
                if (function.Name is { } name) Assert.Contains(indexed.FunctionsByName(name), other => other.DieOffset == function.DieOffset);
                if (function.LinkageName is { } linkage) Assert.Contains(indexed.FunctionsByName(linkage), other => other.DieOffset == function.DieOffset);
            }
        }
        var lines = new SourcesByUnit(plain.Sections, plain.Units);
        Assert.Equal(lines.Paths.Order(StringComparer.Ordinal), indexed.SourceFiles.Order(StringComparer.Ordinal));
        foreach (string path in lines.Paths)
        {
            List<LineAddress> all = lines.Rows(path, 0);
            Assert.Equal(all, indexed.Index.Sources.Rows(path, 0));
            foreach (IGrouping<uint, LineAddress> line in all.GroupBy(static row => row.Line))
                Assert.Equal(line, indexed.Index.Sources.Rows(path, line.Key));
        }
    }

    [Theory]
    [InlineData("prebuilt", "")]
    [InlineData("c-O0-dwarf5", "")]
    [InlineData("libc", "")]
    public void Names_are_those_of_readelf(string sample, string prefix)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        Assert.True(info.PrepareIndex(null).Run(null, CancellationToken.None));
        (string Tag, NamedKinds Kind)[] kinds =
        [
            ("structure_type", NamedKinds.Structure), ("union_type", NamedKinds.Union), ("enumeration_type", NamedKinds.Enumeration),
            ("typedef", NamedKinds.TypeDef), ("base_type", NamedKinds.Base), ("enumerator", NamedKinds.Enumerator),
        ];
        string dump = HostTool.Run("readelf", ["--debug-dump=info", "-W", Samples.Get(sample)], TimeSpan.FromMinutes(5)).Output;
        var expected = kinds.ToDictionary(static kind => kind.Kind, static _ => new SortedSet<string>(StringComparer.Ordinal));
        NamedKinds current = NamedKinds.None;
        int inside = int.MaxValue;
        foreach (string line in dump.Split('\n'))
        {
            if (Entry().Match(line) is { Success: true } entry)
            {
                int depth = int.Parse(entry.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
                if (depth <= inside) inside = int.MaxValue;
                if (entry.Groups[2].Value == "subprogram" && inside == int.MaxValue) inside = depth;
                // What is declared within a function has no name outside.
                current = inside == int.MaxValue ? Array.Find(kinds, kind => kind.Tag == entry.Groups[2].Value).Kind : NamedKinds.None;
            }
            else if (current != NamedKinds.None && Name().Match(line) is { Success: true } name)
            {
                expected[current].Add(name.Groups[1].Value);
            }
        }
        foreach ((_, NamedKinds kind) in kinds) Assert.Equal(expected[kind], info.Index.Names(prefix, kind, int.MaxValue));
        Assert.True(expected.Values.Sum(static names => names.Count) > 1);
        foreach (string name in expected.Values.SelectMany(static names => names))
            Assert.All(info.Index.Find(name, NamedKinds.AnyType | NamedKinds.Enumerator), found => Assert.Contains(name, NamesOf(found)));
        Assert.Empty(info.Index.Find("no such name", NamedKinds.AnyType));
    }

    [Fact]
    public void Names_in_namespaces_are_qualified()
    {
        using DebugFiles files = new DebugFileFinder().Find(ElfImage.Open(Built.Program(Built.Folder("names"), true, "-O0", "-g")));
        DebugIndex index = DwarfInfo.Open(files).Index;
        Assert.Single(index.Find("shapes::kind", NamedKinds.Enumeration));
        Assert.Single(index.Find("shapes::kind::square", NamedKinds.Enumerator));
        Assert.Single(index.Find("shapes::last_kind", NamedKinds.Variable));
        Assert.Single(index.Find("shapes::counted::inner", NamedKinds.Structure));
        Assert.Contains("shapes::pair_of<int>", index.Names("shapes::pair", NamedKinds.AnyType, 10));
        Assert.Empty(index.Find("kind", NamedKinds.Enumeration));
    }

    [Fact]
    public void The_cache_gives_back_an_index_or_nothing()
    {
        string folder = Built.Folder("cache"), kept = Path.Combine(folder, "kept");
        using ElfImage image = ElfImage.Open(Built.Program(folder, false, "-O2", "-g", "-Wl,--build-id"));
        var cache = new DebugIndexCache(kept);
        Assert.False(DwarfInfo.Open(image).LoadIndex(cache));
        var progress = new List<int>();
        using DwarfInfo built = DwarfInfo.Open(image);
        Assert.True(built.PrepareIndex(cache).Run(progress.Add, CancellationToken.None));
        Assert.Equal(1000, progress[^1]);
        string path = Assert.Single(Directory.GetFiles(kept));
        using DwarfInfo loaded = DwarfInfo.Open(image);
        Assert.True(loaded.LoadIndex(cache));
        Assert.Equal(Answers.Of(built), Answers.Of(loaded));
        built.Dispose();
        loaded.Dispose();
        byte[] good = File.ReadAllBytes(path);
        // Each byte counts: the header's by what they say, the rest by the checksum.
        for (int at = 0; at < good.Length; at += at < 256 ? 1 : 997)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x10;
            File.WriteAllBytes(path, bad);
            Assert.False(DwarfInfo.Open(image).LoadIndex(cache), $"byte {at}");
        }
        File.WriteAllBytes(path, good[..^8]);
        Assert.False(DwarfInfo.Open(image).LoadIndex(cache));
        // Of another program, under this one's name.
        using ElfImage other = ElfImage.Open(Built.Program(Built.Folder("cache"), false, "-O1", "-g", "-Wl,--build-id"));
        string elsewhere = Path.Combine(folder, "elsewhere");
        DwarfInfo.Open(other).PrepareIndex(new DebugIndexCache(elsewhere)).Run(null, CancellationToken.None);
        File.Copy(Directory.GetFiles(elsewhere)[0], path, overwrite: true);
        Assert.False(DwarfInfo.Open(image).LoadIndex(cache));
        // Where nothing can be written, everything works.
        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        Assert.True(DwarfInfo.Open(image).PrepareIndex(new DebugIndexCache(Path.Combine(file, "below"))).Run(null, CancellationToken.None));
    }

    [Fact]
    public void A_cancelled_index_changes_nothing()
    {
        using ElfImage image = ElfImage.Open(Samples.Get("libc"));
        DwarfInfo info = DwarfInfo.Open(image);
        using var cancellation = new CancellationTokenSource();
        Assert.False(info.PrepareIndex(null).Run(_ => cancellation.Cancel(), cancellation.Token));
        Assert.False(info.IsIndexed);
        info.SmallSizeBytes = 0;
        // Without it, names still lead to functions by their symbols.
        Assert.False(info.IsSmall);
        Assert.Contains(info.FunctionsByName("qsort"), function => function.Name == "qsort");
        Assert.False(info.IsIndexed);
    }

    [Fact]
    public void Damaged_indices_are_read_without_harm()
    {
        using ElfImage image = ElfImage.Open(Samples.Get("c++-O2"));
        DwarfInfo info = DwarfInfo.Open(image);
        var cache = new DebugIndexCache(Built.Folder("damaged"));
        Assert.True(info.PrepareIndex(cache).Run(null, CancellationToken.None));
        byte[] good = File.ReadAllBytes(Directory.GetFiles(Path.GetDirectoryName(cache.PathFor(info))!)[0]);
        for (int seed = 0; seed < 1500; seed++)
        {
            var random = new Random(seed);
            byte[] bad = [.. good];
            // Behind the identity, with a checksum that fits: as if someone had made it on purpose.
            for (int i = 0; i <= seed % 5; i++)
            {
                byte value = (byte)(random.Next(3) switch { 0 => 0, 1 => 255, _ => random.Next(256) });
                bad.AsSpan(300 + random.Next(bad.Length - 308), random.Next(1, 8)).Fill(value);
            }
            BitConverter.TryWriteBytes(bad.AsSpan(24), Checksum64.Of(bad.AsSpan(32)));
            File.WriteAllBytes(cache.PathFor(info)!, bad);
            DwarfInfo victim = DwarfInfo.Open(image);
            if (!victim.LoadIndex(cache)) continue;
            foreach (string name in victim.Index.Names("", ~NamedKinds.None, 1000)) victim.Index.Find(name, ~NamedKinds.None);
            foreach (string file in victim.SourceFiles.Take(20)) victim.BreakpointAddresses(file, 10);
            foreach (DebugFunction function in info.FunctionsOf(0)) victim.FramesAt(function.EntryPc);
            victim.FunctionsByName("main");
        }
    }

    // The entry's own; of an enumerator, those of all of its enumeration.
    private static List<string?> NamesOf(NamedEntry entry)
    {
        ReadOnlySpan<byte> bytes = entry.Unit.Bytes.Span;
        var cursor = new DieCursor(entry.Unit.Header, entry.Unit.Abbreviations, bytes, (int)(entry.DieOffset - entry.Unit.Header.Offset));
        Assert.True(cursor.MoveNext());
        if (entry.Kind != NamedKinds.Enumerator) return [entry.Unit.StringOf(cursor.Attribute(DwAt.Name))];
        Assert.Equal(DwTag.EnumerationType, cursor.Tag);
        var names = new List<string?>();
        while (cursor.MoveNext() && cursor.Depth > 0) names.Add(entry.Unit.StringOf(cursor.Attribute(DwAt.Name)));
        return names;
    }

    // <1><2d>: Abbrev Number: 2 (DW_TAG_structure_type)
    [GeneratedRegex(@"^ <(\w+)><\w+>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)")]
    private static partial Regex Entry();

    // <34>   DW_AT_name        : (strp) (offset: 0x10): node
    [GeneratedRegex(@"^    <\w+>   DW_AT_name +: (?:\([\w ]+\) )?(?:\(offset: \w+\): )?(.*?)\s*$")]
    private static partial Regex Name();
}
