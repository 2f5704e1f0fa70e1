using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests;

/// <summary>What look-ups read in pieces is what there is in the whole, for every entry, file, function and address of real programs.</summary>
public sealed class LazyLookupTests
{
    public static TheoryData<string> All => Samples.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Entries_read_in_pieces_are_those_of_the_whole_unit(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample)), other = ElfImage.Open(Samples.Get(sample));
        DwarfInfo whole = DwarfInfo.Open(image), pieces = DwarfInfo.Open(other);
        int count = 0;
        for (int i = 0; i < whole.UnitCount; i++)
        {
            DebugUnit unit = whole.Units[i], lazy = pieces.Units[i];
            DieCursor expected = OverWhole(unit);
            DieCursor found = lazy.FirstCursor();
            while (expected.MoveNext())
            {
                Assert.True(found.MoveNext());
                Assert.Equal((expected.Position, expected.Depth, expected.Tag, expected.HasChildren), (found.Position, found.Depth, found.Tag, found.HasChildren));
                DieCursor alone = lazy.CursorAt(unit.Header.Offset + (ulong)expected.Position);
                Assert.True(alone.MoveNext());
                Assert.Equal(expected.Tag, alone.Tag);
                foreach (DwAt name in s_attributes)
                {
                    AttributeValue value = expected.Attribute(name);
                    if (value != found.Attribute(name) || value != alone.Attribute(name)) Assert.Fail($"{name} at {expected.Position} of unit {i}");
                    if (value.IsBlock) Assert.Equal(unit.BlockOf(value), lazy.BlockOf(value));
                    if (count % 7 == 0) Assert.Equal(unit.StringOf(value), lazy.StringOf(value));
                }
                count++;
            }
            Assert.False(found.MoveNext());
            Assert.Equal(expected.Problem, found.Problem);
            unit.Release();
        }
        Assert.True(count > 20);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Siblings_read_in_pieces_are_those_of_the_whole_unit(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample)), other = ElfImage.Open(Samples.Get(sample));
        DwarfInfo whole = DwarfInfo.Open(image), pieces = DwarfInfo.Open(other);
        for (int i = 0; i < whole.UnitCount; i++)
        {
            DebugUnit unit = whole.Units[i];
            DieCursor expected = OverWhole(unit);
            DieCursor found = pieces.Units[i].FirstCursor();
            bool isThere = expected.MoveNext() && expected.MoveNext();
            Assert.Equal(isThere, found.MoveNext() && found.MoveNext());
            while (isThere)
            {
                Assert.Equal((expected.Position, expected.Depth, expected.Tag), (found.Position, found.Depth, found.Tag));
                isThere = expected.MoveNextSibling();
                Assert.Equal(isThere, found.MoveNextSibling());
            }
            unit.Release();
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Inlined_calls_at_an_address_are_those_of_the_whole_function(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample)), other = ElfImage.Open(Samples.Get(sample));
        DwarfInfo whole = DwarfInfo.Open(image), single = DwarfInfo.Open(other);
        int count = 0;
        for (int i = 0; i < whole.UnitCount; i++)
        {
            foreach (DebugFunction function in whole.FunctionsOf(i))
            {
                var addresses = new SortedSet<ulong>();
                foreach (AddressRange range in function.Ranges) addresses.UnionWith([range.Start, range.End - 1]);
                AddEnds(function.Calls, addresses);
                DebugFunction alone = single.Units[i].FunctionOf(function.DieOffset)!, known = new(single.Units[i].Full, function.DieOffset);
                foreach (ulong address in addresses)
                {
                    Assert.Equal(function.CallsAt(address).Select(Text), alone.CallsAt(address).Select(Text));
                    count++;
                }
                Assert.Equal((function.EntryPc, function.Name), (known.EntryPc, known.Name));
                Assert.Equal(function.Ranges, known.Ranges);
                // And what is in those, from each of them on.
                foreach (InlinedCall call in alone.CallsAt(addresses.Max))
                    Assert.Equal(function.CallsAt(addresses.Max).Single(same => same.DieOffset == call.DieOffset).Calls.Select(Text), call.Calls.Select(Text));
            }
            whole.Units[i].Release();
        }
        Assert.True(count > 0);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_path_read_alone_is_that_of_the_whole_table(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        int count = 0;
        foreach (DebugUnit unit in info.Units)
        {
            if (unit.LineTable is not { } table) continue;
            LineHeader header = LineHeaderParser.ReadFields(info.Sections, table.Offset, unit.Header.AddressSizeBytes)!;
            Assert.True(header.IsComplete);
            Assert.Equal((table.Header.ProgramStart, table.Header.SizeBytes, table.Header.LineBase), (header.ProgramStart, header.SizeBytes, header.LineBase));
            for (uint file = 0; file < table.Files.Count + 2; file++, count++)
                Assert.Equal(table.FilePath(file), LinePaths.Read(info.Sections, header, file, unit.CompileDirectory));
            Assert.Null(LinePaths.Read(info.Sections, header, uint.MaxValue, unit.CompileDirectory));
            unit.Release();
        }
        Assert.True(count > 0);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Names_of_the_index_lead_to_what_the_units_have(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample)), other = ElfImage.Open(Samples.Get(sample));
        DwarfInfo plain = DwarfInfo.Open(image), indexed = DwarfInfo.Open(other);
        Assert.True(indexed.PrepareIndex(null).Run(null, CancellationToken.None));
        foreach (string name in indexed.Index.Names("", NamedKinds.Function | NamedKinds.Variable, int.MaxValue))
        {
            foreach (DebugFunction function in indexed.FunctionsByName(name))
            {
                DebugFunction same = plain.Units[function.Unit.Skeleton?.Index ?? function.Unit.Index].FunctionOf(function.DieOffset)!;
                Assert.Equal((same.EntryPc, same.Name, same.DeclarationFile, same.DeclarationLine), (function.EntryPc, function.Name, function.DeclarationFile, function.DeclarationLine));
                Assert.Equal(same.Ranges, function.Ranges);
            }
            foreach (Dwarf.Variables.DebugVariable variable in indexed.FindGlobals(name))
            {
                Assert.Equal(name, variable.QualifiedName);
                Assert.False(variable.IsParameter);
                Assert.Equal(plain.FindGlobals(name).Select(one => (one.DieOffset, one.Type.ToString())).Order(),
                    indexed.FindGlobals(name).Select(one => (one.DieOffset, one.Type.ToString())).Order());
            }
        }
    }

    [Fact]
    public void A_rehearsal_changes_no_answer()
    {
        using ElfImage image = ElfImage.Open(Samples.Get("c++-O2")), other = ElfImage.Open(Samples.Get("c++-O2"));
        DwarfInfo info = DwarfInfo.Open(image), plain = DwarfInfo.Open(other);
        LookupRehearsal early = info.PrepareRehearsal();
        Assert.False(early.Run(CancellationToken.None));
        Assert.True(info.PrepareIndex(null).Run(null, CancellationToken.None));
        Assert.False(info.PrepareRehearsal().Run(new CancellationToken(canceled: true)));
        LookupRehearsal rehearsal = info.PrepareRehearsal();
        bool isDone = false;
        var thread = new Thread(() => isDone = rehearsal.Run(CancellationToken.None));
        thread.Start();
        List<string> meanwhile = Files.Answers.Of(info);
        thread.Join();
        Assert.True(isDone);
        Assert.Equal(Files.Answers.Of(plain), meanwhile);
        Assert.Equal(meanwhile, Files.Answers.Of(info));
    }

    private static DieCursor OverWhole(DebugUnit unit) => new(unit.Header, unit.Abbreviations, unit.Bytes.Span, unit.Header.HeaderSizeBytes);

    private static readonly DwAt[] s_attributes = Enum.GetValues<DwAt>();

    private static string Text(InlinedCall call) =>
        $"{call.DieOffset:x} {call.Name} {call.CallFile}:{call.CallLine}:{call.CallColumn} {string.Join(' ', call.Ranges)}";

    private static void AddEnds(IReadOnlyList<InlinedCall> calls, SortedSet<ulong> addresses)
    {
        foreach (InlinedCall call in calls)
        {
            foreach (AddressRange range in call.Ranges) addresses.UnionWith([range.Start - 1, range.Start, range.End - 1, range.End]);
            AddEnds(call.Calls, addresses);
        }
    }
}
