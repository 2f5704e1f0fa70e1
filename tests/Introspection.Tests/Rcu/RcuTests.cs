using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Introspection.Calls;
using Introspection.Layouts;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Introspection.Tests.Paging;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Rcu;

/// <summary>Read-copy-update of the list and the tree, right and broken, against what the guests store.</summary>
public sealed class RcuTests
{
    // struct RCUState: eight bytes each.
    private const ulong GracePeriod = 0, Completed = 8, WaitingFor = 16, Callbacks = 24, CallbackCount = 32, Freed = 40;

    private static GuestRcu Find(ConcurrencyGuest guest, string name)
    {
        GuestRcu? rcu = GuestRcu.Find(ConcurrencyGuest.Layouts(name), new NoTasks(), guest.Symbols, guest.View);
        Assert.NotNull(rcu);
        Assert.Empty(rcu.Problems);
        return rcu;
    }

    private static RcuHistory Read(ConcurrencyGuest guest, GuestRcu rcu) => RcuHistory.Read(guest.Timeline, rcu, guest.Timeline.Start, guest.Timeline.End);

    [Theory]
    [InlineData("rcu-list", "walks", 22)]
    [InlineData("rcu-tree", "lookups", 31)]
    public void The_right_guests_are_clean_and_all_is_counted(string name, string reads, int nodes)
    {
        for (ulong seed = 0; seed < 8; seed++)
        {
            using ConcurrencyGuest guest = ConcurrencyGuest.Record(name, seed);
            Assert.Contains("ok ", guest.Console, StringComparison.Ordinal);
            RcuHistory history = Read(guest, Find(guest, name));
            guest.Timeline.Seek(guest.Timeline.End);
            ulong replacements = guest.Number("replacements");
            Assert.Empty(history.Findings);
            Assert.Equal(guest.Number(reads), (ulong)history.SectionCount);
            Assert.Equal(replacements, (ulong)history.DeferCount);
            // At the start all nodes are freed.
            Assert.Equal((ulong)nodes + guest.Number("rcu", Freed), (ulong)history.FreeCount);
            Assert.Equal(Enumerable.Range(2, (int)replacements).Select(static number => (long)number), history.GracePeriods.Select(static one => one.Number));
            Assert.All(history.GracePeriods, static one => Assert.NotNull(one.End));
            Assert.All(history.Sections, static one => Assert.True(one.End > one.Begin));
            Assert.Equal((ulong)history.GracePeriods[^1].Number, guest.Number("rcu", GracePeriod));
        }
    }

    /// <summary>It is found in most runs, whether the guest notices it or not, and is what memory says at that moment.</summary>
    [Theory]
    [InlineData("rcu-list")]
    [InlineData("rcu-tree")]
    public void What_is_freed_too_early_is_found_where_it_is(string name)
    {
        int found = 0;
        for (ulong seed = 0; seed < 6; seed++)
        {
            using ConcurrencyGuest guest = ConcurrencyGuest.Record($"{name}-broken", seed);
            RcuHistory history = Read(guest, Find(guest, name));
            Assert.Equal(BruteForce(guest), history.Findings.Select(static one =>
                $"{one.At} {one.CpuIndex} {one.Pointer:x} by {string.Join(' ', one.Readers.Select(static reader => reader.CpuIndex).Order())}"));
            if (history.Findings.Count == 0) continue;
            found++;
            RcuFinding first = history.Findings[0];
            guest.Timeline.Seek(first.At);
            Assert.Equal(guest.AddressOf("node_free"), guest.View.CodeAddress);
            Assert.Equal(first.Pointer, guest.View.Vcpu.State.Rdi);
            foreach (RcuSection reader in first.Readers)
            {
                Assert.NotEqual(0UL, guest.NumberAt(first.At, guest.AddressOf("rcuReaders") + (ulong)reader.CpuIndex * 8));
                Assert.NotEqual(0UL, guest.NumberAt(reader.Begin, guest.AddressOf("rcuReaders") + (ulong)reader.CpuIndex * 8));
                Assert.True(reader.Begin < first.Unlinked);
            }
        }
        Assert.True(found >= 4, $"found under {found} of 6 seeds");
    }

    // By calls and the readers' words: whoever was in a section when a node was given to be freed, and still is when it is.
    private static List<string> BruteForce(ConcurrencyGuest guest)
    {
        var lines = new List<string>();
        var deferred = new Dictionary<ulong, HashSet<int>>();
        foreach (FunctionCall call in Calls(guest, "rcu_defer", "node_free"))
        {
            ulong pointer = call.Registers.General(7);
            guest.Timeline.Seek(call.Entry);
            HashSet<int> readers = ReadersOf(guest);
            if (call.Target.Name == "rcu_defer") deferred[pointer] = readers;
            else if (deferred.Remove(pointer, out HashSet<int>? before))
            {
                before.IntersectWith(readers);
                if (before.Count > 0) lines.Add($"{call.Entry} {call.CpuIndex} {pointer:x} by {string.Join(' ', before.Order())}");
            }
        }
        return lines;
    }

    private static IReadOnlyList<FunctionCall> Calls(ConcurrencyGuest guest, params string[] names)
    {
        var finder = new FunctionFinder(guest.Symbols, []);
        var search = new CallSearch(guest.Timeline, [.. names.SelectMany(finder.Find)], new CallValueReader(CallingConvention.Automatic, new CallValueText(guest.Symbols)));
        return search.List(guest.Timeline.Start, guest.Timeline.End, int.MaxValue).Calls;
    }

    private static HashSet<int> ReadersOf(ConcurrencyGuest guest)
    {
        var readers = new HashSet<int>();
        for (int cpu = 0; cpu < 4; cpu++)
        {
            var view = new GuestView(guest.Timeline.Machine, guest.Timeline.Machine.Vcpus[cpu]);
            // Who is still in the function that begins has not begun.
            bool isBeginning = view.CodeAddress - guest.AddressOf("rcu_read_lock") < guest.Symbols.SizeOf("rcu_read_lock");
            if (guest.Number("rcuReaders", (ulong)cpu * 8) != 0 && !isBeginning) readers.Add(cpu);
        }
        return readers;
    }

    [Fact]
    public void The_guest_notices_what_was_found_before()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.RecordBroken("rcu-list", seeds: 60);
        RcuFinding first = Read(guest, Find(guest, "rcu-list")).Findings[0];
        Position noticed = guest.Timeline.End;
        Assert.True(first.At < noticed);
        guest.Timeline.Seek(noticed);
        Assert.NotEqual(0UL, guest.Number("rcu", 48));
        Assert.Equal(0UL, guest.NumberAt(first.At, guest.AddressOf("rcu") + 48));
    }

    [Theory]
    [InlineData("rcu-list", 4)]
    [InlineData("rcu-list-broken", 2)]
    public void A_moment_is_what_memory_says(string name, ulong seed)
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record(name, seed);
        GuestRcu rcu = Find(guest, "rcu-list");
        RcuHistory history = Read(guest, rcu);
        ulong first = history.Sections[0].Begin.InstructionCount, end = guest.Timeline.End.InstructionCount;
        int readerCount = 0, progressCount = 0, waitedCount = 0, callbackCount = 0;
        for (ulong at = first; at < end; at += 397)
        {
            guest.Timeline.Seek(new Position(at));
            Position now = guest.Timeline.Position;
            RcuView view = RcuReadout.ReadWithBegins(guest.Timeline, rcu, guest.View, null);
            Assert.Empty(view.Problems);
            ulong current = guest.Number("rcu", GracePeriod), completed = guest.Number("rcu", Completed), waiting = guest.Number("rcu", WaitingFor);
            Assert.Equal((long)current, view.GracePeriod.Current);
            Assert.Equal(current - completed > 1, view.GracePeriod.IsInProgress);
            Assert.Equal(waiting != 0, view.GracePeriod.WaitsFor.Any(wait => wait.Description == $"the updater looks at vCPU {waiting - 1}" && wait.CpuIndex == (int)waiting - 1));
            Assert.Equal(guest.Number("list"), view.Published.Single(static one => one.Name == "list").Value);
            for (int cpu = 0; cpu < 4; cpu++)
            {
                ulong since = guest.Number("rcuReaders", (ulong)cpu * 8);
                RcuReader? reader = view.Readers.SingleOrDefault(one => one.CpuIndex == cpu);
                Assert.Equal(since == 0 ? null : (long)since, reader?.Period);
                if (reader is null) continue;
                readerCount++;
                Assert.Equal(view.GracePeriod.IsInProgress && since != current, reader.IsWaitedFor);
                if (reader.IsWaitedFor) waitedCount++;
                RcuSection? section = history.Sections.LastOrDefault(one => one.CpuIndex == cpu && one.Begin < now && !(one.End < now));
                Assert.Equal(section?.Begin, reader.Since);
                Assert.Equal(section?.Caller ?? 0, reader.Caller);
            }
            if (view.GracePeriod.IsInProgress) progressCount++;
            RcuCallbacks callbacks = Assert.Single(view.Callbacks);
            Assert.Equal(guest.Number("rcu", CallbackCount), callbacks.Count);
            if (callbacks.First.Count == 0) continue;
            callbackCount++;
            Assert.Equal(guest.Number("rcu", Callbacks), callbacks.First[0].Address);
            Assert.All(callbacks.First, one => Assert.Equal(guest.AddressOf("node_free"), one.Function));
        }
        Assert.True(readerCount > 10 && progressCount > 0, $"{readerCount} readers, {progressCount} moments in grace periods");
        // Who frees first never has callbacks for long.
        if (name == "rcu-list") Assert.True(waitedCount > 0 && callbackCount > 0, $"{waitedCount} waited for, {callbackCount} moments with callbacks");
    }

    [Fact]
    public void Publications_have_the_old_and_the_new_version()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("rcu-list", 5);
        RcuHistory history = Read(guest, Find(guest, "rcu-list"));
        List<RcuPublication> heads = [.. history.Publications.Where(static one => one.Name == "list")];
        Assert.True(heads.Count > 6, $"{heads.Count} writes of the list's head");
        for (int i = 1; i < heads.Count; i++) Assert.Equal(heads[i - 1].New, heads[i].Old);
        for (int i = 0; i < history.Publications.Count; i += 7)
        {
            RcuPublication one = history.Publications[i];
            Assert.Equal(one.Old, guest.NumberAt(one.At, one.Address));
            Assert.Equal(one.CpuIndex, guest.Timeline.Machine.CurrentCpuIndex);
            Assert.Equal(one.Code, guest.View.CodeAddress);
            guest.Timeline.StepForward();
            Assert.Equal(one.New, guest.Number(one.Address));
        }
    }

    [Fact]
    public void Any_memory_is_read_to_an_end()
    {
        const string json = """
            { "rcu": {
                "state": { "at": "0x901000", "current": {"offset": 0}, "completed": {"offset": 8}, "waitingFor": {"offset": 16}, "callbacks": {"offset": 24} },
                "readers": { "at": "0x901100", "stride": 8, "since": {"offset": 0} },
                "callback": { "next": {"offset": 0}, "function": {"offset": 8} },
                "published": [ { "at": "0xfffffffffffff000" } ]
            } }
            """;
        using var memory = new TableMachine();
        memory.Machine.Vcpus[0].State.Cr0 = 1;
        var view = new GuestView(memory.Machine, memory.Machine.Vcpus[0]);
        GuestRcu rcu = GuestRcu.Find([LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "a test")], new NoTasks(), new SymbolSet(), view)!;
        memory.Write64(0x901018, 0x902000);
        memory.Write64(0x902000, 0x902010);
        memory.Write64(0x902010, 0x902000);
        memory.Write64(0x901010, 77);
        RcuView now = RcuReadout.Read(rcu, view, null);
        Assert.Contains(now.Problems, static problem => problem.Contains("cycle", StringComparison.Ordinal));
        Assert.Contains(now.Problems, static problem => problem.Contains("vCPU 76", StringComparison.Ordinal));
        Assert.Null(Assert.Single(now.Published).Value);
        memory.Write64(0x902010, 0xDEAD_BEEF_0000);
        Assert.Contains(RcuReadout.Read(rcu, view, null).Problems, static problem => problem.Contains("not in memory", StringComparison.Ordinal));
        var random = new Random(7);
        for (int i = 0; i < 500; i++)
        {
            for (ulong word = 0; word < 0x200; word += 8) memory.Write64(0x901000 + word, random.Next(3) == 0 ? (ulong)random.NextInt64() : 0x901000 + (ulong)random.Next(0x200));
            Assert.True(RcuReadout.Read(rcu, view, null).Callbacks[0].First.Count <= 64);
        }
    }

    [Theory]
    [InlineData("""{"rcu":{"heldBy":"me"}}""", "cpu or task")]
    [InlineData("""{"rcu":{"readLock":["a"]}}""", "both or neither")]
    [InlineData("""{"rcu":{"state":{"at":"a","sequence":{"offset":0}}}}""", "stateBits")]
    [InlineData("""{"rcu":{"state":{"at":"a","current":{"offset":0}}}}""", "'completed'")]
    [InlineData("""{"rcu":{"state":{"at":"a","callbacks":{"offset":0}}}}""", "'callback'")]
    [InlineData("""{"rcu":{"free":[{"functions":["f"],"pointer":"xmm0"}]}}""", "xmm0")]
    [InlineData("""{"rcu":{"published":[{"at":"a","count":5}]}}""", "stride")]
    [InlineData("""{"rcu":{"published":[{"at":"a","stride":8,"count":5000}]}}""", "at most 4096")]
    [InlineData("""{"rcu":{"readers":{"at":"a","since":{"bytes":3}}}}""", "3 bytes")]
    [InlineData("""{"rcu":{"grace":1}}""", "no layout")]
    public void Declarations_that_make_no_sense_are_told(string json, string what)
    {
        var e = Assert.Throws<LayoutException>(() => LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "x.layout.json"));
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_declared_and_not_there_is_told()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("rcu-list", 1);
        const string json = """
            { "rcu": { "state": { "at": "rcu", "structure": "RCUState", "current": {"member": "period"}, "completed": {"member": "completed"} },
                "readers": { "at": "readers", "since": {"offset": 0} }, "readLock": ["read_lock"], "readUnlock": ["read_unlock"] } }
            """;
        GuestRcu rcu = GuestRcu.Find([LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "a test")], new NoTasks(), guest.Symbols, guest.View)!;
        foreach (string word in (string[])["'RCUState' has no member 'period'", "'readers'", "read_lock", "'read_unlock'"])
            Assert.Contains(rcu.Problems, problem => problem.Contains(word, StringComparison.Ordinal));
        Assert.Empty(RcuReadout.ReadWithBegins(guest.Timeline, rcu, guest.View, null).Readers);
        Assert.Empty(Read(guest, rcu).Findings);
    }
}
