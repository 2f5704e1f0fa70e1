using System;
using System.Collections.Generic;
using System.Linq;
using Introspection.Paging;
using Vmm.Paging;
using Xunit;

namespace Introspection.Tests.Paging;

/// <summary>What the readers say of page tables is what the machine's own walker does, for every mode, with tables that nobody in his senses would write.</summary>
public sealed class PageTableTests
{
    [Theory]
    [InlineData(PagingMode.TwoLevel)]
    [InlineData(PagingMode.Pae)]
    [InlineData(PagingMode.FourLevel)]
    public void Entries_lead_where_the_walker_goes(PagingMode mode)
    {
        for (int seed = 1; seed <= 6; seed++)
        {
            using var tables = new TableMachine();
            var random = new Random(seed);
            PagingControls controls = tables.FillRandomly(mode, random);
            var reader = new PageTableReader(tables.Machine, controls);
            for (int i = 0; i < 3_000; i++)
            {
                ulong linear = RandomLinear(mode, random);
                PageWalk walk = GuestPageWalker.Walk(tables.Machine.Memory, controls, linear);
                GuestEntry? leaf = Descend(reader, linear);
                string what = $"seed {seed}, {mode}, linear 0x{linear:x}";
                Assert.True(walk.IsMapped == leaf is { IsReserved: false }, what);
                if (leaf is not { IsReserved: false } page) continue;
                Assert.Equal(walk.Physical, page.Target + (linear & (page.SizeBytes - 1)));
                Assert.Equal(walk.PageSizeBytes, page.SizeBytes);
                Assert.True(walk.Writable == page.Allowed.IsWritable && walk.User == page.Allowed.IsUser && walk.NoExecute == !page.Allowed.IsExecutable, what);
            }
        }
    }

    [Theory]
    [InlineData(PagingMode.TwoLevel)]
    [InlineData(PagingMode.Pae)]
    [InlineData(PagingMode.FourLevel)]
    public void Ranges_cover_what_is_mapped_and_nothing_else(PagingMode mode)
    {
        using var tables = new TableMachine();
        var random = new Random(7);
        PagingControls controls = tables.FillRandomly(mode, random);
        var tree = new PageTree(tables.Machine, controls);
        List<MappedRange> ranges = tree.Collect();
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.True(pair.First.LinearEnd < pair.Second.Linear));
        // Tables that refer to each other map more than is gone through.
        ulong known = tree.IsCutShort ? ranges[^1].Linear : ulong.MaxValue;
        for (int i = 0; i < 3_000; i++)
        {
            ulong linear = RandomLinear(mode, random);
            if (linear >= known) continue;
            PageWalk walk = GuestPageWalker.Walk(tables.Machine.Memory, controls, linear);
            MappedRange range = ranges.Find(one => linear >= one.Linear && linear <= one.LinearEnd);
            Assert.Equal(walk.IsMapped, range.SizeBytes != 0);
            if (walk.IsMapped) Assert.Equal(walk.Physical, range.Physical + (linear - range.Linear));
        }
    }

    [Fact]
    public void Tables_that_refer_to_themselves_end()
    {
        using var tables = new TableMachine();
        for (ulong i = 0; i < 512; i++) tables.Write64(0x800000 + i * 8, 0x800000 | 7);
        var controls = new PagingControls(PagingMode.FourLevel, 0x800000, false, true);
        var tree = new PageTree(tables.Machine, controls);
        Assert.NotEmpty(tree.Collect());
        Assert.True(tree.IsCutShort);
        GuestEntry first = new PageTableReader(tables.Machine, controls).Entries(new GuestTable(4, 0x800000, 0, PageRights.All))[0];
        Assert.True(tree.Has(first, PageFilter.Global, 1_000));
        Assert.True(tree.CountPages(first, 1_000) <= 1_000);
    }

    [Fact]
    public void Filters_look_below_tables_with_the_rights_of_the_way()
    {
        using var tables = new TableMachine();
        tables.Write64(0x800000, 0x801000 | 7);
        tables.Write64(0x801000, 0x802000 | 3); // not for user mode
        tables.Write64(0x802000, 0x803000 | 7);
        tables.Write64(0x803000, 0x200000 | 7 | PageTableEntry.Dirty);
        var controls = new PagingControls(PagingMode.FourLevel, 0x800000, false, true);
        var reader = new PageTableReader(tables.Machine, controls);
        var tree = new PageTree(tables.Machine, controls);
        GuestEntry top = reader.Entries(reader.Root!.Value)[0];
        Assert.True(tree.Has(top, PageFilter.Dirty | PageFilter.Writable, 1_000));
        Assert.False(tree.Has(top, PageFilter.User, 1_000));
        Assert.False(tree.Has(top, PageFilter.Global, 1_000));
        Assert.Equal("0.0.0", PageTableReader.PathOf("0.0", 0));
        Assert.Equal(0x803000u, reader.Find("0.0.0")!.Value.Address);
        Assert.Null(reader.Find("0.0.0.0"));
        Assert.Null(reader.Find("1"));
        Assert.Null(reader.Find("0.200"));
        Assert.Null(reader.Find("0..0"));
    }

    [Fact]
    public void Changes_are_found_at_any_level()
    {
        using TableMachine before = new(), after = new();
        foreach (TableMachine one in (TableMachine[])[before, after])
        {
            one.Write64(0x800000, 0x801000 | 7);
            one.Write64(0x801000, 0x802000 | 7);
            one.Write64(0x802000, 0x803000 | 7);
            for (ulong i = 0; i < 512; i++) one.Write64(0x803000 + i * 8, 0x200000 + i * 0x1000 | 7);
        }
        after.Write64(0x803000 + 5 * 8, 0); // a page goes
        after.Write64(0x803000 + 6 * 8, 0x300000 | 5); // one changes
        after.Write64(0x801008, 0x804000 | 7); // a table comes
        var controls = new PagingControls(PagingMode.FourLevel, 0x800000, false, true);
        var comparison = new TableComparison(before.Machine, controls, after.Machine, controls);
        List<TableChange> changes = comparison.Collect(100);
        Assert.Equal(3, changes.Count);
        Assert.Equal((0x5000UL, true, false), (changes[0].Either.Linear, changes[0].Before is not null, changes[0].After is not null));
        Assert.Equal((0x6000UL, true, true), (changes[1].Either.Linear, changes[1].Before is not null, changes[1].After is not null));
        Assert.Equal((1UL << 30, false, true), (changes[2].Either.Linear, changes[2].Before is not null, changes[2].After is not null));
        Assert.False(comparison.IsCut);
        Assert.Equal(2, comparison.Collect(2).Count);
        Assert.True(comparison.IsCut);
        GuestEntry Top(TableMachine machine)
        {
            var reader = new PageTableReader(machine.Machine, controls);
            return reader.Entries(reader.Root!.Value)[0];
        }
        Assert.Equal(TableChangeKind.Changed, comparison.Compare(Top(before), Top(after)));
        Assert.Equal(TableChangeKind.None, new TableComparison(before.Machine, controls, before.Machine, controls).Compare(Top(before), Top(before)));
    }

    private static GuestEntry? Descend(PageTableReader reader, ulong linear)
    {
        GuestTable table = reader.Root!.Value;
        bool isNarrow = reader.Controls.Mode == PagingMode.TwoLevel;
        while (true)
        {
            int shift = isNarrow ? 12 + 10 * (table.Level - 1) : 12 + 9 * (table.Level - 1);
            if (reader.EntryAt(table, (int)(linear >> shift) & (reader.EntryCount(table.Level) - 1)) is not { } entry || entry.IsReserved) return null;
            if (entry.IsLeaf) return entry;
            table = PageTableReader.TableBelow(entry);
        }
    }

    private static ulong RandomLinear(PagingMode mode, Random random)
    {
        ulong linear = (ulong)random.NextInt64() << 1 ^ (ulong)random.Next(2);
        return mode == PagingMode.FourLevel ? (ulong)((long)(linear << 16) >> 16) : (uint)linear;
    }
}
