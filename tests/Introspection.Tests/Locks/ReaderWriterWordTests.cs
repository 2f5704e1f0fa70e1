using System.Collections.Generic;
using System.Linq;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>A reader-writer lock whose functions are inlined, everywhere or only in places: its word tells who reads and who writes.</summary>
public sealed class ReaderWriterWordTests
{
    private const uint Writer = 0x80000000;

    public static TheoryData<string> Guests() => ["rw-inlined", "rw-mixed", "rw-pooled"];

    [Theory]
    [MemberData(nameof(Guests))]
    public void Every_acquisition_and_release_is_known(string guest)
    {
        long contended = 0;
        for (ulong seed = 5; seed < 9; seed++)
        {
            using var recording = new ConcurrencyRecording(guest, seed);
            LockHistory history = recording.History();
            ulong address = AddressOf(recording);
            LockRecord record = history.Find(address)!;
            var log = recording.Acquisitions();
            LockUse[] taken = [.. record.Uses.Where(use => use.Taken is not null).OrderBy(use => use.Taken)];
            Assert.True(log.Count > 200, $"only {log.Count} acquisitions");
            Assert.Equal(log.Count, taken.Length);
            Assert.Equal(log.Count, record.TakenCount);
            // What the guest has written down, vCPU by vCPU: readers come in between others.
            for (int cpu = 0; cpu < 4; cpu++)
                Assert.Equal(log.Where(one => one.Cpu == cpu).Select(one => one.IsShared), taken.Where(use => use.User.CpuIndex == cpu).Select(use => use.IsShared));
            Assert.All(taken, use => Assert.True(use.Wanted < use.Taken && use.Taken < use.Released));
            Assert.Empty(history.Findings);
            Assert.True(record.MaximumWaiters <= 3, $"seed {seed}: {record.MaximumWaiters} waiters at {record.MaximumWaitersAt}");
            contended += record.ContendedCount;
            // A function that is called takes a lock when it returns, and gives it back when it is entered; an inlined one when its instruction is done.
            bool isExact = guest != "rw-pooled";
            List<WordChange> changes = WordDecoder.Changes(recording.Timeline, address, 4, recording.Timeline.Start, recording.Timeline.End);
            List<(Position? At, int Cpu, string What)> expected = [.. changes.Select(one => ((Position?)one.At, one.CpuIndex, Decode((uint)one.Old, (uint)one.New)))], found =
            [
                .. taken.SelectMany(use => ((Position?, int, string)[])[(use.Taken, use.User.CpuIndex, use.IsShared ? "read" : "write"),
                    (use.Released, use.User.CpuIndex, use.IsShared ? "read no more" : "write no more")]).OrderBy(one => one.Item1),
            ];
            Assert.Equal(log.Count * 2, expected.Count);
            if (isExact) Assert.Equal(expected, found);
            else for (int cpu = 0; cpu < 4; cpu++) Assert.Equal(expected.Where(one => one.Cpu == cpu).Select(one => one.What), found.Where(one => one.Cpu == cpu).Select(one => one.What));
        }
        // One who finds it free at the second look has not waited.
        Assert.True(contended >= 4, $"{contended} waits");
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public void At_every_moment_history_and_memory_say_the_same(string guest)
    {
        using var recording = new ConcurrencyRecording(guest, seed: 5);
        LockHistory history = recording.History();
        LockRecord record = history.Find(AddressOf(recording))!;
        LockUse contended = record.Uses.First(use => use is { IsContended: true, Released: not null } && use.WaitInstructions < 3000);
        recording.Timeline.Seek(new Position(contended.Wanted.InstructionCount - 300));
        int read = 0, written = 0, shared = 0;
        while (recording.Timeline.Position.InstructionCount <= contended.Released!.Value.InstructionCount + 300)
        {
            Position at = recording.Timeline.Position;
            var word = (uint)recording.Number(record.Address, 4);
            LockUse[] holders = [.. history.UsesAt(at).Where(use => use.Lock == record && use.IsHeldAt(at))];
            bool isCalled = guest == "rw-pooled";
            if (!isCalled) Assert.Equal(((word & Writer) != 0 ? 1 : 0, (int)(word & ~Writer)), (holders.Count(use => !use.IsShared), holders.Count(use => use.IsShared)));
            else Assert.True(holders.Length <= ((word & Writer) != 0 ? 1 : 0) + (int)(word & ~Writer), $"{at}: {word:x}, {holders.Length} holders");
            // One that nobody has declared is shown while it is in use.
            LockView? view = recording.Locks.Read(recording.View, recording.Symbols, at, history).SingleOrDefault(one => one.Address == record.Address);
            Assert.True(view is not null || (isCalled && !history.UsesAt(at).Any(use => use.Lock == record)));
            recording.Timeline.StepForward();
            if (view is null) continue;
            int[] cpus = [.. view.Queue.Where(one => one.CpuIndex is not null).Select(one => one.CpuIndex!.Value)];
            Assert.True(cpus.Distinct().Count() == cpus.Length, $"{at}: {string.Join(", ", view.Queue.Select(one => one.Description))}");
            bool IsHolder(LockWaiter one) => one.IsOwner && holders.Any(use => use.User.CpuIndex == one.CpuIndex);
            Assert.Equal(holders.Select(use => (use.User.CpuIndex, use.Taken)).Order(),
                view.Queue.Where(IsHolder).Select(one => (one.CpuIndex!.Value, one.Since)).Order());
            if ((word & ~Writer) > 1) read++;
            if ((word & Writer) != 0) written++;
            if (view.Queue.Any(one => !one.IsOwner)) shared++;
        }
        Assert.True(read + written > 10 && shared > 10, $"{read} moments with readers, {written} with a writer, {shared} with a queue");
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public void Who_waits_is_whom_the_guest_lets_wait(string guest)
    {
        using var recording = new ConcurrencyRecording(guest, seed: 5);
        LockHistory history = recording.History();
        ulong address = AddressOf(recording);
        Position at = recording.GoTo("moment_two_waiters");
        ulong first = recording.AddressOf("expectedWaiters"), holder = recording.Number(recording.AddressOf("expectedHolder"));
        LockView view = recording.Locks.Read(recording.View, recording.Symbols, at, history).Single(one => one.Address == address);
        Assert.Equal((LockState.Contended, null), (view.State, view.Problem));
        Assert.Equal([(int)holder], view.Queue.Where(one => one.IsOwner).Select(one => one.CpuIndex!.Value));
        Assert.Equal([(int)recording.Number(first), (int)recording.Number(first + 8)], view.Queue.Where(one => !one.IsOwner).Select(one => one.CpuIndex!.Value).Order());
        Assert.All(view.Queue, one => Assert.True(one.Since < at && one.Caller != 0));
    }

    [Fact]
    public void What_is_broken_is_found()
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            using var recording = new ConcurrencyRecording("rw-inlined-broken", seed);
            if (!recording.IsBroken) continue;
            LockHistory history = recording.History();
            LockFinding[] findings = [.. history.Findings.Where(one => one.Uses.Any(use => use.Lock.Address == recording.AddressOf("rwLock")))];
            Assert.Contains(findings, static one => one.Kind is LockFindingKind.TwoHolders);
            return;
        }
        Assert.Fail("no schedule breaks it");
    }

    private static ulong AddressOf(ConcurrencyRecording recording)
    {
        if (recording.Symbols.AddressOf("rwLock") is { } address) return address;
        Position here = recording.Timeline.Position;
        recording.Timeline.Seek(recording.Timeline.End);
        address = recording.Number(recording.AddressOf("rwLockPointer"));
        recording.Timeline.Seek(here);
        return address;
    }

    // The bits of guests/concurrency/rw.c.
    private static string Decode(uint old, uint changed) => ((old ^ changed) & Writer) != 0 ? (changed & Writer) != 0 ? "write" : "write no more"
        : changed == old + 1 ? "read" : changed == old - 1 ? "read no more" : $"{old:x} {changed:x}";
}
