using System.Collections.Generic;
using System.Linq;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>Locks whose functions are inlined, so that there is no call of them: their words tell the same that functions do elsewhere, and what the guest has written down itself.</summary>
public sealed class InlinedLockTests
{
    public static TheoryData<string, string> Guests() => new() { { "tas", "tasLock" }, { "ttas", "ttasLock" }, { "ticket", "ticketLock" }, { "mcs", "mcsLock" } };

    [Theory]
    [MemberData(nameof(Guests))]
    public void Who_takes_a_lock_when_is_what_the_guest_has_written_down(string guest, string name)
    {
        for (ulong seed = 5; seed < 8; seed++)
        {
            using var recording = new ConcurrencyRecording($"{guest}-inlined", seed);
            Assert.Null(recording.Symbols.AddressOf($"{guest}_acquire"));
            LockHistory history = recording.History();
            LockRecord record = history.Find(recording.AddressOf(name))!;
            var log = recording.Acquisitions();
            Assert.True(log.Count > 100, $"only {log.Count} acquisitions");
            LockUse[] taken = [.. record.Uses.Where(use => use.Taken is not null).OrderBy(use => use.Taken)];
            Assert.Equal(log.Select(one => one.Cpu), taken.Select(use => use.User.CpuIndex));
            Assert.Equal(log.Count, record.TakenCount);
            Assert.All(taken, use => Assert.True(use.Wanted < use.Taken && use.Taken < use.Released));
            Assert.All(taken, use => Assert.Equal(("lock_acquire", LockUse.InlinedFunction), (recording.Symbols.NameOf(use.Caller - 1, out _), use.Function)));
            Assert.True(record.ContendedCount > 0 && record.MaximumWaiters is >= 1 and <= 3);
            Assert.Empty(history.Findings);
        }
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public void At_every_moment_history_and_memory_say_the_same(string guest, string name)
    {
        using var recording = new ConcurrencyRecording($"{guest}-inlined", seed: 5);
        LockHistory history = recording.History();
        LockRecord record = history.Find(recording.AddressOf(name))!;
        LockUse contended = record.Uses.First(use => use is { IsContended: true, Released: not null } && use.WaitInstructions < 3000);
        recording.Timeline.Seek(new Position(contended.Wanted.InstructionCount - 300));
        int free = 0, shared = 0;
        while (recording.Timeline.Position.InstructionCount <= contended.Released!.Value.InstructionCount + 300)
        {
            Position at = recording.Timeline.Position;
            LockView memory = recording.Locks.Read(recording.View, recording.Symbols, at, null).Single(one => one.Address == record.Address);
            LockUse[] holders = [.. history.UsesAt(at).Where(use => use.Lock == record && use.IsHeldAt(at))];
            Assert.True(holders.Length == (memory.State == LockState.Free ? 0 : 1), $"{at}: {memory.State}, {holders.Length} holders");
            LockView view = recording.Locks.Read(recording.View, recording.Symbols, at, history).Single(one => one.Address == record.Address);
            Assert.Equal(holders.Select(use => (use.User.CpuIndex, use.Taken)), view.Queue.Where(one => one.IsOwner).Select(one => (one.CpuIndex!.Value, one.Since)));
            int[] cpus = [.. view.Queue.Select(one => one.CpuIndex!.Value)];
            Assert.True(cpus.Distinct().Count() == cpus.Length, $"{at}: {string.Join(", ", view.Queue.Select(one => one.Description))}");
            if (memory.State == LockState.Free) free++;
            if (cpus.Length > 1) shared++;
            recording.Timeline.StepForward();
        }
        Assert.True(free > 10 && shared > 10, $"{free} moments free, {shared} with a queue");
    }

    [Theory]
    [MemberData(nameof(Guests))]
    public void Who_waits_is_whom_the_guest_lets_wait(string guest, string name)
    {
        using var recording = new ConcurrencyRecording($"{guest}-inlined", seed: 5);
        LockHistory history = recording.History();
        Position at = recording.GoTo("moment_two_waiters");
        ulong first = recording.AddressOf("expectedWaiters"), holder = recording.Number(recording.AddressOf("expectedHolder"));
        LockView view = recording.Locks.Read(recording.View, recording.Symbols, at, history).Single(one => one.Address == recording.AddressOf(name));
        Assert.Equal((LockState.Contended, null), (view.State, view.Problem));
        Assert.Equal([(int)holder], view.Queue.Where(one => one.IsOwner).Select(one => one.CpuIndex!.Value));
        Assert.Equal([(int)recording.Number(first), (int)recording.Number(first + 8)], view.Queue.Where(one => !one.IsOwner).Select(one => one.CpuIndex!.Value).Order());
        Assert.All(view.Queue, one => Assert.True(one.Since < at && one.Caller != 0));
    }

    [Fact]
    public void However_the_recording_is_cut_the_history_is_the_same()
    {
        foreach (string guest in (string[])["tas-inlined", "mcs-inlined"])
        {
            using var recording = new ConcurrencyRecording(guest, seed: 9);
            List<string> all = Lines(recording.History());
            ulong end = recording.Timeline.End.InstructionCount;
            LockHistory later = recording.Locks.History(recording.Timeline, new Position(end / 2), recording.Timeline.End);
            Assert.True(Lines(later).Count > 20);
            // Who began to wait before, and who had it then, is not known.
            Assert.True(Lines(later).Except(all).Count() <= 4, string.Join('\n', Lines(later).Except(all)));
        }

        static List<string> Lines(LockHistory history) =>
            [.. history.Locks.SelectMany(one => one.Uses).Where(use => use.Taken is not null).Select(use => $"{use.Lock.Address:x} {use.User} {use.Taken} {use.Released} {use.Caller:x}")];
    }

    /// <summary>The first schedules under which the guest says itself that it is broken.</summary>
    [Theory]
    [InlineData("tas", "tasLock")]
    [InlineData("ttas", "ttasLock")]
    [InlineData("ticket", "ticketLock")]
    [InlineData("mcs", "mcsLock")]
    public void What_is_broken_is_found(string guest, string name)
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            using var recording = new ConcurrencyRecording($"{guest}-inlined-broken", seed);
            if (!recording.IsBroken) continue;
            LockHistory history = recording.History();
            LockFinding[] findings = [.. history.Findings.Where(one => one.Uses.Any(use => use.Lock.Address == recording.AddressOf(name)))];
            Assert.Contains(findings, static one => one.Kind is LockFindingKind.TwoHolders or LockFindingKind.LostWakeUp or LockFindingKind.ReleasedByOther);
            return;
        }
        Assert.Fail("no schedule breaks it");
    }
}
