using System;
using System.Collections.Generic;
using System.Threading;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests;

/// <summary>Line programs that are gone on with, and functions that are read alone, say the same as whole units.</summary>
public sealed class LinePointTests
{
    public static TheoryData<string> All => Samples.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Points_lead_to_the_rows_of_the_whole_program(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        Compare(sample, DwarfInfo.Open(image), static unit => unit.Lines!);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Points_of_an_index_lead_to_the_rows_of_the_whole_program(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        Assert.True(info.PrepareIndex(null).Run(null, CancellationToken.None));
        var seen = new HashSet<ulong>();
        Compare(sample, info, unit =>
        {
            ulong offset = unit.Attributes.LineOffset!.Value;
            LinePoints? points = info.IndexedLines(unit, offset);
            // Units that share a program share its points: the first one has them.
            Assert.Equal(seen.Add(offset), points is not null);
            return points ?? unit.Lines!;
        });
    }

    private static void Compare(string sample, DwarfInfo info, Func<DebugUnit, LinePoints> pointsOf)
    {
        int count = 0;
        foreach (DebugUnit unit in info.Units)
        {
            if (unit.LineTable is not { } table) continue;
            LinePoints points = pointsOf(unit);
            // A row's own address, the ones before it, and one within it.
            foreach (LineRow row in table.Rows)
            {
                foreach (ulong address in (ulong[])[row.Address - 1, row.Address, row.Address + 1])
                {
                    LineRow? expected = table.Find(address, out AddressRange range), found = points.Find(address, out AddressRange foundRange);
                    if (expected != found || range != foundRange)
                        Assert.Fail($"0x{address:x}: the program has {expected} in {range}, the points lead to {found} in {foundRange}");
                    if (expected is { } known) Assert.Equal(table.FilePath(known.File), points.FilePath(known.File));
                    count++;
                }
            }
            unit.Release();
        }
        Assert.True(count > 20, $"only {count} addresses were compared");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {count} addresses");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Functions_read_alone_are_those_of_the_whole_unit(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample)), other = ElfImage.Open(Samples.Get(sample));
        DwarfInfo whole = DwarfInfo.Open(image), single = DwarfInfo.Open(other);
        int count = 0;
        for (int i = 0; i < whole.UnitCount; i++)
        {
            foreach (DebugFunction function in whole.FunctionsOf(i))
            {
                DebugUnit unit = single.Units[i];
                unit.Release();
                DebugFunction? alone = unit.FunctionOf(function.DieOffset);
                Assert.NotNull(alone);
                Assert.Equal((function.Name, function.LinkageName, function.EntryPc), (alone.Name, alone.LinkageName, alone.EntryPc));
                Assert.Equal((function.QualifiedName, function.DeclarationFile, function.DeclarationLine), (alone.QualifiedName, alone.DeclarationFile, alone.DeclarationLine));
                Assert.Equal(function.Ranges, alone.Ranges);
                AssertSame(function.Calls, alone.Calls);
                count++;
            }
            whole.Units[i].Release();
        }
        Assert.True(count > 0);
    }

    private static void AssertSame(IReadOnlyList<InlinedCall> expected, IReadOnlyList<InlinedCall> found)
    {
        Assert.Equal(expected.Count, found.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal((expected[i].DieOffset, expected[i].Name, expected[i].CallFile, expected[i].CallLine),
                (found[i].DieOffset, found[i].Name, found[i].CallFile, found[i].CallLine));
            Assert.Equal(expected[i].Ranges, found[i].Ranges);
            AssertSame(expected[i].Calls, found[i].Calls);
        }
    }
}
