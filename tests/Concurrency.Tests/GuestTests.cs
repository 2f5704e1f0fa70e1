using System;
using System.Collections.Generic;
using System.Linq;
using Replay.Exploration;
using Vmm.Platform;
using Xunit;

namespace Concurrency.Tests;

/// <summary>The guests themselves: right ones are right under every schedule tried, and what they store is what happened.</summary>
public sealed class GuestTests
{
    private const ulong QuickSeeds = 40, AllSeeds = 1000;
    private const int TcbSize = 64, AcquisitionSize = 24, MaximumCpus = 8;
    private static readonly string[] s_right =
        ["tas", "ttas", "ticket", "mcs", "rw", "rcu-list", "rcu-tree", "stack", "channel", "deadlock", "inversion", "inversion-broken", "release", "interrupts", "xv6", "classes"];

    public static TheoryData<string> Right() => [.. s_right];

    [Theory]
    [MemberData(nameof(Right))]
    public void A_right_guest_fails_under_no_schedule(string name) => AssertClean(name, 4, QuickSeeds);

    [Theory]
    [MemberData(nameof(Right))]
    [Trait("Category", "Slow")]
    public void A_right_guest_fails_under_none_of_a_thousand_schedules(string name) => AssertClean(name, 4, AllSeeds);

    [Theory]
    [MemberData(nameof(Right))]
    public void A_right_guest_runs_on_any_number_of_vcpus(string name)
    {
        for (int cpus = 1; cpus <= 8; cpus++) AssertClean(name, cpus, 2);
    }

    [Theory]
    [MemberData(nameof(Right))]
    public void Side_by_side_it_is_right_as_well(string name)
    {
        var guest = new ConcurrencyGuest(name);
        using Machine machine = guest.Boot(guest.Configuration() with { TurnPolicy = TurnPolicy.SideBySide });
        Assert.Equal(RunStop.Ended, machine.Run(5_000_000));
        Assert.Equal(0u, machine.Outcome.Code);
    }

    [Theory]
    [InlineData("tas")]
    [InlineData("ttas")]
    [InlineData("ticket")]
    [InlineData("mcs")]
    [InlineData("rw")]
    public void Acquisitions_are_logged_in_order(string name)
    {
        var guest = new ConcurrencyGuest(name);
        using Machine machine = guest.Boot(ScheduleExplorer.WithSeed(guest.Configuration(), 7));
        Assert.Equal(RunStop.Ended, machine.Run(5_000_000));
        Assert.Equal(0u, machine.Outcome.Code);
        ulong count = guest.Read(machine, "acquisitionCount"), log = guest.AddressOf("acquisitions");
        ulong[] byCpu = new ulong[MaximumCpus];
        for (ulong i = 0; i < count; i++)
        {
            ulong entry = log + i * AcquisitionSize;
            Assert.Equal(i, ConcurrencyGuest.ReadAt(machine, entry + 8));
            byCpu[(uint)ConcurrencyGuest.ReadAt(machine, entry + 16)]++;
        }
        for (int cpu = 0; cpu < MaximumCpus; cpu++) Assert.Equal(guest.Read(machine, "acquisitionsOf", cpu * 8), byCpu[cpu]);
        Assert.Equal(243u, count);
    }

    [Theory]
    [InlineData("tas", "tasLock")]
    [InlineData("ttas", "ttasLock")]
    [InlineData("ticket", "ticketLock")]
    [InlineData("mcs", "mcsLock")]
    [InlineData("rw", "rwLock")]
    public void There_is_a_moment_with_a_holder_and_two_waiters(string name, string lockName)
    {
        var guest = new ConcurrencyGuest(name);
        for (ulong seed = 0; seed < 5; seed++)
        {
            using Machine machine = guest.Boot(ScheduleExplorer.WithSeed(guest.Configuration(), seed));
            guest.RunTo(machine, "moment_two_waiters");
            ulong lockAddress = guest.AddressOf(lockName), tcbs = guest.AddressOf("tcbs");
            Assert.Equal(0u, guest.Read(machine, "expectedHolder"));
            Assert.Equal(2u, guest.Read(machine, "expectedWaiterCount"));
            for (int i = 0; i < 2; i++)
            {
                ulong waiter = guest.Read(machine, "expectedWaiters", i * 8);
                Assert.Equal((ulong)i + 1, waiter);
                Assert.Equal(lockAddress, guest.Read(machine, "tcbs", ((int)waiter * TcbSize) + 16));
            }
            if (name != "mcs") continue;
            Assert.Equal(tcbs + 2 * TcbSize, guest.Read(machine, "mcsLock"));
            Assert.Equal(tcbs + TcbSize, guest.Read(machine, "tcbs"));
            Assert.Equal(tcbs + 2 * TcbSize, guest.Read(machine, "tcbs", TcbSize));
            Assert.Equal(0u, guest.Read(machine, "tcbs", 2 * TcbSize));
        }
    }

    private static void AssertClean(string name, int cpus, ulong seeds)
    {
        Exploration exploration = new ScheduleExplorer(new ConcurrencyGuest(name).Configuration(cpus), ConcurrencyGuest.Criteria).Run(0, seeds, 1);
        Assert.True(exploration.Failures.Count == 0, $"{name} on {cpus}, seed {exploration.Failures.Select(static one => $"{one.Seed}: {one.Verdict}").FirstOrDefault()}");
        Assert.Equal(seeds, exploration.SeedCount);
    }
}
