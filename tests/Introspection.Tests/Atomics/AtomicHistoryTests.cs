using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Introspection.Atomics;
using Introspection.Code;
using Introspection.Locks.Tasks;
using Introspection.State;
using Replay.Replaying;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Atomics;

/// <summary>The top of the lock-free stack: its history against single steps, and against what the guest counts itself.</summary>
public sealed class AtomicHistoryTests
{
    private const ulong NodeCount = 8;

    private static AtomicHistory Read(ConcurrencyGuest guest, int limit = int.MaxValue) =>
        AtomicHistory.Read(guest.Timeline, AtomicTarget.Find("stack", guest.Symbols)!.Value, new NoTasks(), guest.Timeline.Start, guest.Timeline.End, limit);

    // The first seed under which somebody loses.
    private static ConcurrencyGuest RecordRetries()
    {
        for (ulong seed = 0; seed < 40; seed++)
        {
            ConcurrencyGuest guest = ConcurrencyGuest.Record("stack", seed);
            if (guest.Number("retries") > 0) return guest;
            guest.Dispose();
        }
        throw new InvalidOperationException("nobody lost under 40 seeds");
    }

    [Fact]
    public void Every_attempt_is_what_single_steps_show()
    {
        using ConcurrencyGuest guest = RecordRetries();
        List<string> expected = SingleSteps(guest, guest.AddressOf("stack"));
        string[] found = [.. Read(guest).Attempts.Where(static one => one.Kind == AtomicKind.CompareExchange)
            .Select(static one => $"{one.At} {one.CpuIndex} {one.Code:x} {one.Expected:x} {one.Old:x} {one.New:x} {one.HasWon}")];
        Assert.Equal(expected, found);
        Assert.Contains(found, static line => line.EndsWith("False", StringComparison.Ordinal));
    }

    // Each CMPXCHG of the word, by the bytes at RIP and the registers before it, one transition at a time.
    private static List<string> SingleSteps(ConcurrencyGuest guest, ulong word)
    {
        var lines = new List<string>();
        using var replayer = new Replayer(guest.File);
        Machine machine = replayer.Machine;
        // Up to shortly before the first store to it nobody touches the stack.
        guest.Timeline.Seek(guest.Timeline.Start);
        replayer.RunTo(new Position(guest.Timeline.NextWrite(word, 8, isPhysical: false)!.Value.At.InstructionCount - 1_000));
        while (replayer.Position < guest.File.End)
        {
            Vcpu vcpu = machine.Vcpus[machine.CurrentCpuIndex];
            var view = new GuestView(machine, vcpu);
            ulong code = view.CodeAddress, rdi = vcpu.State.Rdi, expected = vcpu.State.Rax, now = vcpu.State.Rdx, count = machine.InstructionCount;
            // lock cmpxchg [rdi], rdx
            bool isSwap = view.ReadNumber(code, 5) == 0x17B10F48F0 && rdi == word;
            ulong old = isSwap ? view.ReadNumber(word, 8)!.Value : 0;
            Position at = replayer.Position;
            replayer.Step();
            if (isSwap && machine.InstructionCount == count + 1) lines.Add($"{at} {vcpu.Index} {code:x} {expected:x} {old:x} {now:x} {old == expected}");
        }
        return lines;
    }

    [Fact]
    public void Guest_and_history_count_the_same()
    {
        int lost = 0;
        for (ulong seed = 0; seed < 8; seed++)
        {
            using ConcurrencyGuest guest = ConcurrencyGuest.Record("stack", seed);
            IReadOnlyList<AtomicAttempt> attempts = Read(guest).Attempts;
            guest.Timeline.Seek(guest.Timeline.End);
            Assert.Equal(NodeCount + guest.Number("pops") + guest.Number("pushes"), (ulong)attempts.Count(static one => one is { Kind: AtomicKind.CompareExchange, HasWon: true }));
            Assert.Equal(guest.Number("retries"), (ulong)attempts.Count(static one => !one.HasWon));
            Assert.Equal((int)guest.Number("retries"), attempts.Count(static one => one.Retry > 0));
            lost += attempts.Count(static one => !one.HasWon);
            // What one leaves is what the next finds, and a tag keeps everybody from being deceived.
            for (int i = 1; i < attempts.Count; i++) Assert.Equal(attempts[i - 1].HasWon ? attempts[i - 1].New : attempts[i - 1].Old, attempts[i].Old);
            Assert.DoesNotContain(attempts, static one => one.IsDeceived);
            Assert.All(attempts.Where(static one => one.Kind == AtomicKind.CompareExchange), static one => Assert.NotNull(one.ReadAt));
        }
        Assert.True(lost > 0, "nobody ever lost");
    }

    [Fact]
    public void Retries_of_a_call_count_up_to_its_success()
    {
        using ConcurrencyGuest guest = RecordRetries();
        var failures = new Dictionary<int, int>();
        foreach (AtomicAttempt one in Read(guest).Attempts)
        {
            Assert.Equal(failures.GetValueOrDefault(one.CpuIndex), one.Retry);
            failures[one.CpuIndex] = one.HasWon ? 0 : one.Retry + 1;
        }
    }

    /// <summary>The broken stack has no tag: the pop that is deceived is found, before the guest notices anything.</summary>
    [Fact]
    public void The_deceived_attempt_is_found()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.RecordBroken("stack", seeds: 60);
        List<AtomicAttempt> attempts = [.. Read(guest).Attempts];
        // A push is deceived without harm. A pop makes top what was next at an older moment.
        AtomicAttempt deceived = attempts.First(one => one.IsDeceived && NextOfTop(guest, one.At) != (ulong)one.New);
        int index = attempts.IndexOf(deceived);
        List<AtomicAttempt> between = [.. attempts.Take(index).Where(one => one.HasWon && one.At > deceived.ReadAt)];
        Assert.Equal(deceived.ChangesSinceRead, between.Count);
        Assert.Contains(between, one => one.New != deceived.Expected);
        Assert.Equal(deceived.Expected, between[^1].New);
        Assert.Contains($"was changed {between.Count} times since it was read at {deceived.ReadAt}", deceived.Remark, StringComparison.Ordinal);
        // Read it was, there and with that value.
        guest.Timeline.Seek(deceived.ReadAt!.Value);
        Assert.Equal(deceived.Expected, guest.Number("stack"));
        Assert.Equal(deceived.CpuIndex, guest.Timeline.Machine.CurrentCpuIndex);
        Assert.Contains("[", new Disassembler(guest.View).TextAt(guest.View.CodeAddress), StringComparison.Ordinal);
    }

    // struct StackNode: next at 0, 24 bytes.
    private static ulong NextOfTop(ConcurrencyGuest guest, Position at)
    {
        guest.Timeline.Seek(at);
        return guest.View.ReadNumber(guest.AddressOf("nodes") + guest.Number("stack") * 24, 4)!.Value;
    }

    [Fact]
    public void Exchanges_and_updates_are_seen_too()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("stack", 1);
        // The owner of node 8, which is popped first.
        AtomicHistory owners = AtomicHistory.Read(guest.Timeline, AtomicTarget.Find("nodes+0xC8", guest.Symbols)!.Value, new NoTasks(), guest.Timeline.Start, guest.Timeline.End);
        Assert.Contains(owners.Attempts, static one => one is { Kind: AtomicKind.Exchange, IsLocked: true, Instruction: "xchg", HasWon: true });
        Assert.Contains(owners.Attempts, static one => one is { Kind: AtomicKind.Store, IsLocked: false });
        AtomicHistory pops = AtomicHistory.Read(guest.Timeline, AtomicTarget.Find("pops", guest.Symbols)!.Value, new NoTasks(), guest.Timeline.Start, guest.Timeline.End);
        Assert.All(pops.Attempts, static one => Assert.Equal(one.Old + 1, one.New));
        Assert.All(pops.Attempts, static one => Assert.True(one.IsLocked && one.Kind is AtomicKind.Update or AtomicKind.ExchangeAdd, one.Instruction));
        guest.Timeline.Seek(guest.Timeline.End);
        Assert.Equal(guest.Number("pops"), (ulong)pops.Attempts.Count);
    }

    [Fact]
    public void Limits_and_ranges_cut_and_cancelling_ends_it()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("stack", 1);
        AtomicHistory all = Read(guest), first = Read(guest, 10);
        Assert.False(all.IsCut);
        Assert.True(first.IsCut);
        Assert.Equal(all.Attempts.Take(10).Select(static one => one.At), first.Attempts.Select(static one => one.At));
        Position from = all.Attempts[20].At, before = all.Attempts[40].At;
        AtomicHistory part = AtomicHistory.Read(guest.Timeline, all.Target, new NoTasks(), from, before);
        Assert.Equal(all.Attempts.Skip(20).Take(20).Select(static one => one.At), part.Attempts.Select(static one => one.At));
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => AtomicHistory.Read(guest.Timeline, all.Target, new NoTasks(), guest.Timeline.Start, guest.Timeline.End, cancellation: source.Token));
        Assert.Throws<ArgumentOutOfRangeException>(() => AtomicHistory.Read(guest.Timeline, all.Target with { SizeBytes = 17 }, new NoTasks(), from, before));
    }
}
