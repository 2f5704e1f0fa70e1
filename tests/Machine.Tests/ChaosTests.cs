using System.Collections.Generic;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Machine.Tests;

/// <summary>Chaos scheduling finds the demo kernel's race, and does not find one where there is none.</summary>
public sealed class ChaosTests
{
    [Fact]
    public void The_broken_lock_fails_for_some_seeds_and_the_right_ones_never()
    {
        var failing = new List<ulong>();
        for (ulong seed = 1; seed <= 20; seed++)
        {
            if (ExitCode(seed, "lock=broken") == 0x11) failing.Add(seed);
            Assert.Equal(0x10u, ExitCode(seed, "lock=mcs"));
            Assert.Equal(0x10u, ExitCode(seed, "lock=xchg"));
        }
        Assert.InRange(failing.Count, 3, 20);
    }

    private static uint ExitCode(ulong seed, string commandLine)
    {
        using Vmm.Platform.Machine machine = Guest.Boot(GuestImages.PrebuiltDemo64, new Silence(), cpus: 4, chaos: seed, commandLine);
        machine.Run(ulong.MaxValue);
        Assert.Equal(OutcomeKind.DebugExit, machine.Outcome.Kind);
        return machine.Outcome.Code;
    }
}
