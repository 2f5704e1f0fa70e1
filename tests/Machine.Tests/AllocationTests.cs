using System;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Machine.Tests;

/// <summary>In steady state the machine allocates nothing.</summary>
public sealed class AllocationTests
{
    [Fact]
    public void Ten_million_instructions_allocate_nothing()
    {
        // The audit loop of the demo kernel: SMP, user mode, timer interrupts, system calls, spin locks.
        using Vmm.Platform.Machine machine = Guest.Boot(GuestImages.PrebuiltDemo64, new Silence(), cpus: 2, commandLine: "rounds=800000 lock=xchg");
        // Long enough for every page to have been touched, and every path to have been decoded and translated.
        machine.Run(640_000_000);
        Assert.Equal(OutcomeKind.None, machine.Outcome.Kind);
        long allocated = Allocations.OfThread(() => machine.Run(machine.InstructionCount + 10_000_000));
        Assert.Equal(OutcomeKind.None, machine.Outcome.Kind);
        Assert.Equal(0, allocated);
    }
}
