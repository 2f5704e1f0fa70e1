using System.Collections.Generic;
using System.Linq;
using Introspection.Layouts;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Introspection.State;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>What the past of locks says is what guests have written down themselves; what is wrong with broken ones is found at its first moment, and right ones are clean.</summary>
public sealed class LockHistoryTests
{
    [Theory]
    [InlineData("tas", "tasLock")]
    [InlineData("ttas", "ttasLock")]
    [InlineData("ticket", "ticketLock")]
    [InlineData("mcs", "mcsLock")]
    [InlineData("rw", "rwLock")]
    public void Who_takes_a_lock_when_is_what_the_guest_has_written_down(string guest, string name)
    {
        using var recording = new ConcurrencyRecording(guest, seed: 5);
        LockHistory history = recording.History();
        LockRecord record = history.Find(recording.AddressOf(name))!;
        Assert.Equal(name, recording.Locks.NameOf(record.Address, recording.Symbols));
        var log = recording.Acquisitions();
        Assert.True(log.Count > 100, $"only {log.Count} acquisitions");
        Assert.Equal(log.Count, record.TakenCount);
        // Readers are inside together: each vCPU has its own order.
        LockUse[] taken = [.. record.Uses.Where(use => use.Taken is not null).OrderBy(use => use.Taken)];
        for (int cpu = 0; cpu < 4; cpu++)
            Assert.Equal(log.Where(one => one.Cpu == cpu).Select(one => one.IsShared), taken.Where(use => use.User.CpuIndex == cpu).Select(use => use.IsShared));
        if (guest != "rw") Assert.Equal(log.Select(one => one.Cpu), taken.Select(use => use.User.CpuIndex));
        Assert.All(taken, use => Assert.True(use.Wanted < use.Taken && use.Taken < use.Released));
        Assert.True(record.ContendedCount > 0 && record.MaximumWaiters is >= 1 and <= 3);
        Assert.Empty(history.Findings);
    }

    [Theory]
    [InlineData("tas", "tasLock", false)]
    [InlineData("ttas", "ttasLock", false)]
    [InlineData("ticket", "ticketLock", false)]
    [InlineData("mcs", "mcsLock", true)]
    public void Who_waits_is_whom_the_guest_lets_wait(string guest, string name, bool isOrderedByItself)
    {
        using var recording = new ConcurrencyRecording(guest, seed: 5);
        LockHistory history = recording.History();
        Position at = recording.GoTo("moment_two_waiters");
        ulong waiters = recording.Number(recording.AddressOf("expectedWaiterCount")), holder = recording.Number(recording.AddressOf("expectedHolder"));
        ulong first = recording.AddressOf("expectedWaiters");
        int[] expected = [.. Enumerable.Range(0, (int)waiters).Select(i => (int)recording.Number(first + (ulong)i * 8))];
        Assert.Equal(2, expected.Length);
        foreach (LockHistory? known in (LockHistory?[])[history, isOrderedByItself ? null : history])
        {
            LockView view = recording.Locks.Read(recording.View, recording.Symbols, at, known).Single(one => one.Address == recording.AddressOf(name));
            Assert.Null(view.Problem);
            Assert.Equal(LockState.Contended, view.State);
            Assert.Equal([(int)holder], view.Queue.Where(one => one.IsOwner).Select(one => one.CpuIndex!.Value));
            int[] waiting = [.. view.Queue.Where(one => !one.IsOwner).Select(one => one.CpuIndex!.Value)];
            Assert.Equal(expected, isOrderedByItself ? waiting : waiting.Order());
            if (known is null) continue;
            Assert.All(view.Queue, one => Assert.True(one.Since < at && one.Caller != 0));
            // They are where they say.
            LockWaiter last = view.Queue[^1];
            recording.Timeline.Seek(last.Since!.Value);
            var cpu = new GuestView(recording.Timeline.Machine, recording.Timeline.Machine.Vcpus[last.CpuIndex!.Value]);
            Assert.EndsWith("_acquire", recording.Symbols.NameOf(cpu.CodeAddress, out ulong offset));
            Assert.Equal(0UL, offset);
            recording.Timeline.Seek(at);
        }
    }

    [Theory]
    [InlineData("tas", "tasLock")]
    [InlineData("ticket", "ticketLock")]
    [InlineData("mcs", "mcsLock")]
    public void At_every_moment_each_is_in_the_queue_once_and_one_holds_it(string guest, string name)
    {
        using var recording = new ConcurrencyRecording(guest, seed: 5);
        LockHistory history = recording.History();
        LockRecord record = history.Find(recording.AddressOf(name))!;
        // From the first instruction of a function that takes it to behind the last, where memory and history may say different things.
        LockUse contended = record.Uses.First(use => use is { IsContended: true, Released: not null } && use.WaitInstructions < 3000);
        recording.Timeline.Seek(contended.Wanted);
        int shared = 0;
        while (recording.Timeline.Position <= contended.Released!.Value)
        {
            Position at = recording.Timeline.Position;
            LockView view = recording.Locks.Read(recording.View, recording.Symbols, at, history).Single(one => one.Address == record.Address);
            Assert.NotEqual(LockState.Corrupt, view.State);
            int[] cpus = [.. view.Queue.Where(one => one.CpuIndex is not null).Select(one => one.CpuIndex!.Value)];
            Assert.True(cpus.Distinct().Count() == cpus.Length, $"{at}: {string.Join(", ", view.Queue.Select(one => one.Description))}");
            Assert.True(view.Queue.Count(one => one.IsOwner) <= 1, $"{at}: {string.Join(", ", view.Queue.Select(one => one.Description))}");
            foreach (LockUse held in history.UsesAt(at).Where(use => use.Lock == record && use.IsHeldAt(at)))
                Assert.Contains(view.Queue, one => one.IsOwner && one.CpuIndex == held.User.CpuIndex && one.Since == held.Taken);
            if (cpus.Length > 1) shared++;
            recording.Timeline.StepForward();
        }
        Assert.True(shared > 10, $"{shared} moments with a queue");
    }

    // Seeds are the first under which the guest itself says that it is broken (tests/Concurrency.Tests).
    [Theory]
    [InlineData("tas-broken", 1, LockFindingKind.LostWakeUp, "tasLock")]
    [InlineData("ttas-broken", 1, LockFindingKind.TwoHolders, "ttasLock")]
    [InlineData("ticket-broken", 1, LockFindingKind.TwoHolders, "ticketLock")]
    [InlineData("mcs-broken", 6, LockFindingKind.LostWakeUp, "mcsLock")]
    [InlineData("mcs-order-broken", 35, LockFindingKind.LostWakeUp, "mcsLock")]
    [InlineData("rw-broken", 11, LockFindingKind.LostWakeUp, "rwLock")]
    [InlineData("deadlock-broken", 0, LockFindingKind.Deadlock, "lockB")]
    [InlineData("inversion-broken", 0, LockFindingKind.OrderInversion, "lockA")]
    [InlineData("release-broken", 6, LockFindingKind.ReleasedByOther, "lockA")]
    [InlineData("interrupts-broken", 0, LockFindingKind.InterruptsOn, "irqLock")]
    public void What_is_broken_is_found(string guest, ulong seed, LockFindingKind kind, string name)
    {
        using var recording = new ConcurrencyRecording(guest, seed);
        LockHistory history = recording.History();
        LockFinding finding = Assert.Single(history.Findings, one => one.Kind == kind && one.Uses.Any(use => use.Lock.Address == recording.AddressOf(name)));
        Assert.True(finding.At < recording.Timeline.End);
        var text = new LockFindingText(address => recording.Locks.NameOf(address, recording.Symbols), _ => null, code => $"{code:x}");
        Assert.Contains(name, text.Of(finding), System.StringComparison.Ordinal);
        // A history of the part before it does not know it; whether somebody never gets a lock, only the end tells.
        LockHistory before = recording.Locks.History(recording.Timeline, recording.Timeline.Start, finding.At);
        Assert.DoesNotContain(before.Findings, one => one.Kind == kind);
    }

    [Theory]
    [InlineData("deadlock")]
    [InlineData("inversion")]
    [InlineData("release")]
    [InlineData("interrupts")]
    public void Right_guests_are_clean(string guest)
    {
        for (ulong seed = 0; seed < 5; seed++)
        {
            using var recording = new ConcurrencyRecording(guest, seed);
            LockHistory history = recording.History();
            Assert.Empty(history.Findings);
            Assert.Contains(history.Locks, one => one.TakenCount > 50);
        }
    }

    [Fact]
    public void However_the_recording_is_cut_the_history_is_the_same()
    {
        using var recording = new ConcurrencyRecording("mcs", seed: 9);
        List<string> all = Lines(recording.History());
        ulong end = recording.Timeline.End.InstructionCount;
        // From the middle on, what began before is not known.
        LockHistory later = recording.Locks.History(recording.Timeline, new Position(end / 2), recording.Timeline.End);
        Assert.Subset(all.ToHashSet(), Lines(later).ToHashSet());
        Assert.True(later.Locks.Sum(one => one.Uses.Count) > 20);

        static List<string> Lines(LockHistory history) =>
            [.. history.Locks.SelectMany(one => one.Uses).Where(use => use.Taken is not null)
                .Select(use => $"{use.Lock.Address:x} {use.User} {use.Wanted} {use.Taken} {use.Released} {use.Caller:x}")];
    }

    [Fact]
    public void Declarations_that_do_not_fit_are_told()
    {
        using var recording = new ConcurrencyRecording("tas", seed: 0);
        GuestLayout layout = LayoutFile.Parse("""
            { "types": {
                "TASLock": { "kind": "spin", "locked": { "member": "taken", "bytes": 4 }, "acquire": [ { "functions": ["tas_take"] } ] },
                "Other": { "kind": "spin", "structure": "TASLock", "locked": { "member": "locked", "offset": 12, "bytes": 4 } } } }
            """u8, "x.layout.json");
        var locks = Introspection.Locks.GuestLocks.Find([layout], recording.Symbols, recording.View);
        Assert.Contains(locks.Problems, one => one.Contains("no member 'taken'", System.StringComparison.Ordinal));
        Assert.Contains(locks.Problems, one => one.Contains("tas_take", System.StringComparison.Ordinal) && one.Contains("inlined", System.StringComparison.Ordinal));
        Assert.Contains(locks.Problems, one => one.Contains("offset 12", System.StringComparison.Ordinal));
        Assert.NotEmpty(locks.Read(recording.View, recording.Symbols, recording.Timeline.Position, null));
    }
}
