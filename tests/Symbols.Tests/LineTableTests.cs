using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests;

/// <summary>Every row of every line program equals what readelf decodes.</summary>
public sealed class LineTableTests
{
    public static TheoryData<string> All => Samples.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Rows_are_those_of_readelf(string sample)
    {
        string path = Samples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        SortedDictionary<ulong, List<LineRow>> expected = RawLines.Of(path);
        int rowCount = 0;
        var offsets = new List<ulong>();
        foreach (LineTable table in DwarfInfo.Open(image).LineTables())
        {
            offsets.Add(table.Offset);
            List<LineRow> rows = expected[table.Offset];
            for (int i = 0; i < Math.Min(rows.Count, table.Rows.Length); i++)
                Assert.True(rows[i] == table.Rows[i], $"program 0x{table.Offset:x}, row {i}: readelf has {rows[i]}, we have {table.Rows[i]}");
            Assert.Equal(rows.Count, table.Rows.Length);
            rowCount += rows.Count;
        }
        Assert.Equal(expected.Keys, offsets);
        Assert.True(rowCount > 20, $"only {rowCount} rows were compared");
        Assert.Empty(image.Diagnostics.Entries);
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {offsets.Count} programs, {rowCount} rows");
    }

    [Fact]
    public void Lines_lead_to_addresses_and_back()
    {
        using ElfImage image = ElfImage.Open(Samples.Get("prebuilt"));
        DwarfInfo info = DwarfInfo.Open(image);
        IReadOnlyList<uint> lines = info.StatementLines("main.c");
        Assert.True(lines.Count > 5);
        foreach (uint line in lines)
        {
            IReadOnlyList<LineAddress> addresses = info.FindAddresses("guests/demo64/main.c", line);
            Assert.NotEmpty(addresses);
            foreach (LineAddress found in addresses.Where(found => found.HasCode))
                Assert.Equal((found.Path, line), (info.FindLine(found.Address)!.Value.Path, info.FindLine(found.Address)!.Value.Line));
        }
        Assert.Empty(info.FindAddresses("elsewhere/main.c", lines[0]));
        Assert.NotEmpty(info.FindAddresses("/home/somebody/guests/demo64/main.c", lines[0]));
    }

    [Theory]
    [InlineData("c-O0-dwarf5")]
    [InlineData("c-O0-dwarf2")]
    [InlineData("c-O2-dwarf5")]
    public void Breakpoints_go_to_every_copy(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        // "int result = x * x;" in square: one copy without optimization, otherwise one in each place that it was inlined to.
        IReadOnlyList<LineAddress> places = info.BreakpointAddresses("sample.c", 9);
        Assert.All(places, place => Assert.Equal(9u, place.Line));
        // Where the optimizer left no instruction to the line, its address belongs to what follows.
        Assert.All(places.Where(place => place.HasCode), place => Assert.Equal("square", info.FramesAt(place.Address)[0].FunctionName));
        if (sample.Contains("O0", StringComparison.Ordinal)) Assert.Single(places);
        else Assert.True(places.Count >= 2, $"{places.Count} copies");
        // A line without code slides to the next one: from the comment at the top to the first function.
        Assert.All(info.BreakpointAddresses("sample.c", 1), place => Assert.InRange(place.Line, 2u, 10u));
        Assert.Empty(info.BreakpointAddresses("sample.c", 10_000));
    }
}
