using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Introspection.Layouts;
using Introspection.Locks.Queues;
using Introspection.State;
using Introspection.Tests.Paging;
using Replay.Replaying;
using Symbols.Elf;
using TestKit;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>Locks of memory that is as it should be, of memory that is not, and of the demo kernel.</summary>
public sealed class LockTests(Recordings recordings)
{
    private const ulong Lock = 0x901000, Nodes = 0x902000;
    private const string Types = """
        {
          "types": {
            "m": { "kind": "mcs", "tail": {"offset": 0},
              "node": { "next": {"offset": 0}, "waiting": {"offset": 8, "bytes": 1}, "isPerCpu": true, "arrays": [ {"at": "0x902000", "stride": 16, "count": 4} ] } },
            "s": { "kind": "spin", "locked": {"offset": 0, "bytes": 4}, "owner": {"offset": 4, "bytes": 4} },
            "t": { "kind": "ticket", "serving": {"offset": 0, "bytes": 2}, "next": {"offset": 2, "bytes": 2} }
          },
          "locks": [ { "name": "it", "type": "TYPE", "at": "0x901000" } ]
        }
        """;

    [Fact]
    public void A_queue_is_in_the_order_in_which_they_get_it()
    {
        using var memory = new TableMachine();
        Link(memory, tail: 3, next: [(0, 2), (2, 1), (1, 3)], waiting: [2, 1, 3]);
        LockView one = Read(memory, "m");
        Assert.Equal(LockState.Contended, one.State);
        Assert.Equal([0, 2, 1, 3], Cpus(one));
        Assert.True(one.Queue[0].IsOwner && !one.Queue[1].IsOwner);
        Assert.Null(one.Problem);
    }

    [Fact]
    public void Free_held_and_just_joined()
    {
        using var memory = new TableMachine();
        Assert.Equal(LockState.Free, Read(memory, "m").State);
        Link(memory, tail: 1, next: [(2, 3)], waiting: []);
        Assert.Equal(LockState.Held, Read(memory, "m").State);
        // The tail waits and nobody is linked to it yet.
        Link(memory, tail: 0, next: [], waiting: [0]);
        LockView one = Read(memory, "m");
        Assert.Equal(LockState.Contended, one.State);
        Assert.Contains("not linked", one.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cycle_ends()
    {
        using var memory = new TableMachine();
        Link(memory, tail: 0, next: [(0, 1), (1, 2), (2, 0)], waiting: [0, 1, 2]);
        LockView one = Read(memory, "m");
        Assert.Equal(LockState.Corrupt, one.State);
        Assert.Contains("cycle", one.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0xFFFF_FFFFUL)]
    [InlineData(0x902008UL)]
    [InlineData(0xDEAD_BEEF_DEAD_BEEFUL)]
    public void A_tail_that_is_no_node_is_told(ulong tail)
    {
        using var memory = new TableMachine();
        memory.Write64(Lock, tail);
        Assert.Equal(LockState.Corrupt, Read(memory, "m").State);
    }

    [Fact]
    public void Any_memory_is_read_to_an_end()
    {
        using var memory = new TableMachine();
        var random = new Random(5);
        for (int i = 0; i < 2_000; i++)
        {
            memory.Write64(Lock, Nodes + (ulong)random.Next(5) * 16);
            for (ulong n = 0; n < 4; n++)
            {
                memory.Write64(Nodes + n * 16, random.Next(3) == 0 ? 0 : Nodes + (ulong)random.Next(6) * 16);
                memory.Write64(Nodes + n * 16 + 8, (ulong)random.Next(2));
            }
            LockView one = Read(memory, "m");
            Assert.True(one.Queue.Count <= 4);
            Assert.Equal(one.State == LockState.Corrupt, one.State == LockState.Corrupt && one.Problem is not null);
        }
    }

    [Fact]
    public void Spin_and_ticket_locks()
    {
        using var memory = new TableMachine();
        Assert.Equal(LockState.Free, Read(memory, "s").State);
        memory.Write32(Lock, 1);
        Assert.Equal([0], Cpus(Read(memory, "s")));
        memory.Write32(Lock + 4, 77);
        Assert.Equal(LockState.Corrupt, Read(memory, "s").State);
        memory.Write64(Lock, 0xFFFF | 0x0000UL << 16);
        Assert.Equal(LockState.Held, Read(memory, "t").State);
        memory.Write64(Lock, 5 | 900UL << 16);
        Assert.Equal(LockState.Corrupt, Read(memory, "t").State);
    }

    [Theory]
    [InlineData("{", "no layout")]
    [InlineData("""{"types":{"x":{"kind":"mcs"}},"locks":[]}""", "lacks 'tail'")]
    [InlineData("""{"types":{"x":{"kind":"rw"}},"locks":[]}""", "lacks 'word'")]
    [InlineData("""{"types":{},"locks":[{"name":"a","type":"b","at":"c"}]}""", "which is not declared")]
    [InlineData("""{"types":{"x":{"kind":"spin","locked":{"offset":0,"bytes":3}}},"locks":[]}""", "3 bytes")]
    [InlineData("""{"types":{},"locks":[],"lock":1}""", "no layout")]
    public void Layouts_that_make_no_sense_are_told(string json, string what)
    {
        var e = Assert.Throws<LayoutException>(() => LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "x.layout.json"));
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_two_copies_of_the_demo_layout_are_equal() =>
        Assert.Equal(File.ReadAllText(Repository.PathOf("guests/demo64/demo64.layout.json")), File.ReadAllText(Repository.PathOf("guests/prebuilt/demo64.layout.json")));

    /// <summary>In the recording with lock=mcs there are moments at which several tasks queue, and what is shown then fits together.</summary>
    [Fact]
    public void The_demo_kernel_queues()
    {
        GuestLayout layout = LayoutFile.Read(Repository.PathOf("guests/prebuilt/demo64.layout.json"));
        using ElfImage kernel = ElfImage.Open(GuestImages.PrebuiltDemo64);
        var symbols = new LockSymbols(name => AddressOf(kernel, name), address => kernel.Symbols.FindFunction(address)?.Name);
        using var replayer = new Replayer(recordings.File);
        int contended = 0, longest = 0, corrupt = 0;
        ulong end = recordings.File.End.InstructionCount;
        for (ulong at = end / 3; at < end && contended < 40; at += 331)
        {
            replayer.RunTo(new Position(at));
            var view = new GuestView(replayer.Machine, replayer.Machine.Vcpus[0]);
            foreach (LockView one in new LockReader(view, layout, symbols).Read())
            {
                if (one.Kind != "MCS") continue;
                if (one.State == LockState.Corrupt) corrupt++;
                if (one.State != LockState.Contended || one.Problem is not null) continue;
                contended++;
                longest = Math.Max(longest, one.Queue.Count);
                Assert.True(one.Queue[0].IsOwner);
                Assert.StartsWith("task ", one.Queue[0].Description, StringComparison.Ordinal);
                Assert.All(one.Queue, static waiter => Assert.NotNull(waiter.CpuIndex));
            }
        }
        Assert.Equal(0, corrupt);
        Assert.True(contended > 0, "nobody ever waited");
        Assert.True(longest >= 3, $"the longest queue had {longest}");
    }

    private static ulong? AddressOf(ElfImage kernel, string name)
    {
        foreach (ElfSymbol symbol in kernel.Symbols.Symbols)
            if (symbol.HasAddress && kernel.Symbols.NameOf(symbol) == name) return symbol.Address;
        return null;
    }

    private static void Link(TableMachine memory, int tail, (int Node, int Next)[] next, int[] waiting)
    {
        for (ulong n = 0; n < 4; n++)
        {
            memory.Write64(Nodes + n * 16, 0);
            memory.Write64(Nodes + n * 16 + 8, 0);
        }
        memory.Write64(Lock, Nodes + (ulong)tail * 16);
        foreach ((int node, int behind) in next) memory.Write64(Nodes + (ulong)node * 16, Nodes + (ulong)behind * 16);
        foreach (int node in waiting) memory.Write64(Nodes + (ulong)node * 16 + 8, 1);
    }

    private static LockView Read(TableMachine memory, string type)
    {
        GuestLayout layout = LayoutFile.Parse(Encoding.UTF8.GetBytes(Types.Replace("TYPE", type, StringComparison.Ordinal)), "a test");
        // Without paging linear addresses are physical.
        memory.Machine.Vcpus[0].State.Cr0 = 1;
        return Assert.Single(new LockReader(new GuestView(memory.Machine, memory.Machine.Vcpus[0]), layout, new LockSymbols(static _ => null, static _ => null)).Read());
    }

    private static List<int?> Cpus(LockView one)
    {
        var cpus = new List<int?>();
        foreach (LockWaiter waiter in one.Queue) cpus.Add(waiter.CpuIndex);
        return cpus;
    }
}
