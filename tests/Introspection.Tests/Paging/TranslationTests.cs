using System.Linq;
using Introspection.Paging;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Paging;
using Xunit;

namespace Introspection.Tests.Paging;

/// <summary>What is said of accesses: SDM 3A 4.6 and 4.7.</summary>
public sealed class TranslationTests
{
    private const ulong Root = 0x800000;

    [Theory]
    // Bits of the last entry; CR0.WP, SMEP, SMAP; then the error codes of supervisor read, write, fetch and user read, write, fetch, "-" for none.
    [InlineData(PageTableEntry.Present | PageTableEntry.Writable, true, false, false, "- - - 5 7 15")]
    [InlineData(PageTableEntry.Present | PageTableEntry.User, true, false, false, "- 3 - - 7 -")]
    [InlineData(PageTableEntry.Present | PageTableEntry.User, false, false, false, "- - - - 7 -")]
    [InlineData(PageTableEntry.Present | PageTableEntry.User | PageTableEntry.Writable, true, true, true, "1 3 11 - - -")]
    [InlineData(PageTableEntry.Present | PageTableEntry.User | PageTableEntry.Writable | PageTableEntry.NoExecute, true, false, false, "- - 11 - - 15")]
    [InlineData(0, true, false, false, "0 2 10 4 6 14")]
    [InlineData(PageTableEntry.Present | 1UL << 50, true, false, false, "9 b 19 d f 1d")]
    public void Accesses_fault_as_the_manual_says(ulong entry, bool writeProtect, bool smep, bool smap, string expected)
    {
        using var tables = new TableMachine();
        tables.Write64(Root, 0x801000 | 7);
        tables.Write64(0x801000, 0x802000 | 7);
        tables.Write64(0x802000, 0x803000 | 7);
        tables.Write64(0x803000, 0x200000 | entry);
        GuestView view = LongMode(tables, writeProtect, smep, smap);
        var steps = new TranslationSteps(view, 0x123);
        string codes = string.Join(' ', steps.Accesses.Select(static check => check.ErrorCode is { } code ? $"{code:x}" : check.Faults ? "?" : "-"));
        Assert.Equal(expected, codes);
        Assert.Equal(steps.Accesses[0].Faults, steps.Fault is not null);
        Assert.Equal(4, steps.Steps.Count);
        Assert.All(steps.Accesses, check => Assert.EndsWith(".", check.Why, System.StringComparison.Ordinal));
    }

    [Fact]
    public void Addresses_that_are_not_canonical_are_not_walked()
    {
        using var tables = new TableMachine();
        var steps = new TranslationSteps(LongMode(tables, true, false, false), 0x8000_0000_0000);
        Assert.Empty(steps.Steps);
        Assert.All(steps.Accesses, static check => Assert.True(check is { Faults: true, ErrorCode: null }));
        Assert.Contains("canonical", steps.Fault, System.StringComparison.Ordinal);
    }

    [Fact]
    public void Bits_have_the_names_of_their_level()
    {
        var controls = new PagingControls(PagingMode.FourLevel, Root, false, true);
        GuestEntry Entry(int level, bool isLeaf, ulong value) => new(level, 0, 0, value, 0, 1 << 12, isLeaf, 0, false, PageRights.All);
        Assert.Equal(["P", "W", "D", "PAT", "G"], PageBits.SetNames(controls, Entry(1, true, 1 | 2 | 64 | 128 | 256)));
        Assert.Equal(["P", "PS", "PAT", "XD"], PageBits.SetNames(controls, Entry(2, true, 1 | 128 | 1 << 12 | 1UL << 63)));
        Assert.Equal(["P", "U", "A"], PageBits.SetNames(controls, Entry(4, false, 1 | 4 | 32 | 64 | 256)));
        Assert.Equal(["P", "PWT"], PageBits.SetNames(controls with { Mode = PagingMode.Pae }, Entry(3, false, 1 | 2 | 8)));
    }

    private static GuestView LongMode(TableMachine tables, bool writeProtect, bool smep, bool smap)
    {
        Vcpu vcpu = tables.Machine.Vcpus[0];
        vcpu.State.Cr0 = 1UL << 31 | 1 | (writeProtect ? 1UL << 16 : 0);
        vcpu.State.Cr3 = Root;
        vcpu.State.Cr4 = 1 << 5 | (smep ? 1UL << 20 : 0) | (smap ? 1UL << 21 : 0);
        vcpu.State.Efer = 1 << 8 | 1 << 10 | 1 << 11;
        return new GuestView(tables.Machine, vcpu);
    }
}
