using System;
using System.Collections.Generic;
using System.Linq;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Introspection.State;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>The built-in layouts of xv6's locks, on a guest that has locks of that shape, against what the guest stores.</summary>
public sealed class XV6LockTests
{
    private const ulong SpinOwner = 16, SleepOwner = 40, ProcessorBytes = 16;

    [Fact]
    public void All_locks_are_known_without_a_file()
    {
        using var recording = new ConcurrencyRecording("xv6", seed: 0);
        recording.Timeline.Seek(recording.Timeline.End);
        IReadOnlyList<LockView> locks = recording.Locks.Read(recording.View, recording.Symbols, recording.Timeline.Position, null);
        Assert.Superset(new HashSet<string> { "tableLock", "queueLock", "diskLock", "diskLock.lk" }, locks.Select(static one => one.Name).ToHashSet());
        Assert.All(locks, static one => Assert.Equal(LockState.Free, one.State));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(11)]
    public void Acquisitions_are_those_of_the_guests_own_log(ulong seed)
    {
        using var recording = new ConcurrencyRecording("xv6", seed);
        LockHistory history = recording.History();
        Assert.Empty(history.Findings);
        var logged = recording.Acquisitions();
        Assert.True(logged.Count > 300);
        foreach (string name in (string[])["tableLock", "queueLock", "diskLock"])
        {
            ulong address = recording.AddressOf(name);
            Assert.Equal(logged.Where(one => one.Lock == address).Select(static one => one.Cpu),
                history.Find(address)!.Uses.Where(static use => use.Taken is not null).OrderBy(static use => use.Taken).Select(static use => use.User.CpuIndex));
        }
        LockRecord guard = history.Find(recording.AddressOf("diskLock") + 8)!;
        Assert.Equal("spinlock", guard.TypeName);
        Assert.Equal("sleeplock", history.Find(recording.AddressOf("diskLock"))!.TypeName);
    }

    /// <summary>Wherever the guest says in the lock who has it, the view says the same.</summary>
    [Fact]
    public void Holders_are_those_that_the_locks_name()
    {
        using var recording = new ConcurrencyRecording("xv6", seed: 2);
        LockHistory history = recording.History();
        ulong processors = recording.AddressOf("processors"), end = recording.Timeline.End.InstructionCount;
        ulong first = history.Locks.SelectMany(static one => one.Uses).Min(static use => use.Wanted.InstructionCount);
        int spins = 0, sleeps = 0, queues = 0;
        for (ulong at = first; at < end; at += 61)
        {
            recording.Timeline.Seek(new Position(at));
            foreach (LockView one in recording.Locks.Read(recording.View, recording.Symbols, recording.Timeline.Position, history))
            {
                bool isSleep = one.Name == "diskLock";
                if (!isSleep && one.Name is not ("tableLock" or "queueLock" or "diskLock.lk")) continue;
                ulong owner = isSleep ? recording.Number(one.Address + SleepOwner, 4) : recording.Number(one.Address + SpinOwner);
                if (one.Queue.Count > 1) queues++;
                if (owner == 0) continue;
                int cpu = isSleep ? (int)owner - 1 : (int)((owner - processors) / ProcessorBytes);
                // The function that takes it may not have returned, and the one that gives it back may have been entered.
                LockUse? use = history.Find(one.Address)!.Uses.FirstOrDefault(each => each.IsHeldAt(recording.Timeline.Position));
                if (use is null) continue;
                Assert.Equal(cpu, use.User.CpuIndex);
                Assert.Contains(one.Queue, waiter => waiter.IsOwner && waiter.CpuIndex == cpu);
                if (isSleep) sleeps++;
                else spins++;
            }
        }
        Assert.True(spins > 50 && sleeps > 20 && queues > 10, $"{spins} spin locks, {sleeps} sleeping locks, {queues} queues");
    }
}
