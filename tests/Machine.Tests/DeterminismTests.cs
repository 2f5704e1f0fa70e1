using System;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Machine.Tests;

/// <summary>The determinism contract on whole machines: how a run was cut, saved or repeated cannot be seen.</summary>
public sealed class DeterminismTests
{
    private const ulong ForEver = ulong.MaxValue;

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, null)]
    [InlineData(4, 1UL)]
    [InlineData(8, 99UL)]
    public void Two_runs_are_the_same(int cpus, ulong? chaos)
    {
        (string first, string second) = (RunToEnd(cpus, chaos), RunToEnd(cpus, chaos));
        Assert.Equal(first, second);
    }

    private static string RunToEnd(int cpus, ulong? chaos)
    {
        using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), cpus, chaos);
        Assert.Equal(RunStop.Ended, machine.Run(ForEver));
        Assert.Equal(OutcomeKind.DebugExit, machine.Outcome.Kind);
        return Guest.Digest(machine);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(4, 3UL)]
    public void Where_a_run_is_stopped_cannot_be_seen(int cpus, ulong? chaos)
    {
        string whole = RunToEnd(cpus, chaos);
        var random = new Random(7);
        using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), cpus, chaos);
        while (machine.Outcome.Kind == OutcomeKind.None)
        {
            // Runs of every magnitude, and single transitions between them.
            machine.Run(machine.InstructionCount + 1 + (ulong)random.Next(1 << random.Next(1, 16)));
            for (int i = random.Next(4); i > 0; i--) machine.Step();
        }
        Assert.Equal(whole, Guest.Digest(machine));
    }

    [Theory]
    [InlineData("demo32.elf")]
    [InlineData("conformance32.elf")]
    [InlineData("conformance64.elf")]
    public void Single_steps_and_runs_agree(string kernel)
    {
        using Vmm.Platform.Machine whole = Guest.Boot(GuestImages.Own(kernel), new Silence());
        whole.Run(ForEver);
        using Vmm.Platform.Machine stepped = Guest.Boot(GuestImages.Own(kernel), new Silence());
        Position last = stepped.Position;
        while (stepped.Step() != RunStop.Ended)
        {
            bool retired = stepped.Position == new Position(last.InstructionCount + 1);
            bool happened = stepped.Position == new Position(last.InstructionCount, last.EventOrdinal + 1);
            Assert.True(retired || happened, $"one step went from {last} to {stepped.Position}");
            last = stepped.Position;
        }
        Assert.Equal(Guest.Digest(whole), Guest.Digest(stepped));
    }

    // In the middle, where what has not ended yet would be seen: these kernels load SS (after which interrupts wait for one instruction) and then run long without an event.
    [Theory]
    [InlineData("speed-fib-64.elf")]
    [InlineData("speed-fib-32.elf")]
    [InlineData("conformance64.elf")]
    public void A_run_that_was_stopped_before_is_in_the_same_state(string kernel)
    {
        const ulong middle = 100_000;
        foreach (EngineKind engine in (EngineKind[])[EngineKind.Interpreter, EngineKind.Translator])
        {
            using Vmm.Platform.Machine whole = Guest.Boot(GuestImages.Own(kernel), new Silence(), commandLine: "2");
            using Vmm.Platform.Machine stopped = Guest.Boot(GuestImages.Own(kernel), new Silence(), commandLine: "2");
            whole.Engine = stopped.Engine = engine;
            whole.Run(middle);
            while (stopped.InstructionCount < middle) stopped.Run(Math.Min(middle, stopped.InstructionCount + 997));
            Assert.Equal(middle, whole.InstructionCount);
            Assert.Equal(Guest.State(whole), Guest.State(stopped));
        }
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, 5UL)]
    public void A_restored_machine_goes_on_as_the_saved_one(int cpus, ulong? chaos)
    {
        string whole = RunToEnd(cpus, chaos);
        var random = new Random(11);
        for (int i = 0; i < 6; i++)
        {
            using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), cpus, chaos);
            machine.Run((ulong)random.Next(2_000_000));
            using Vmm.Platform.Machine clone = Guest.Clone(machine, new Silence());
            Assert.Equal(Guest.State(machine), Guest.State(clone));
            clone.Run(ForEver);
            Assert.Equal(whole, Guest.Digest(clone));
        }
    }

    [Fact]
    public void Observing_changes_nothing()
    {
        string whole = RunToEnd(2, 1);
        using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), 2, 1);
        var observer = new CountingObserver();
        machine.Observer = observer;
        machine.SetBreakpoints([machine.Vcpus[0].State.Rip]);
        machine.SetWatches([new Watch(true, 0x100000, 0x10000, true, true), new Watch(false, 0x200000, 8, true, true)]);
        machine.Run(ForEver);
        Assert.Equal(whole, Guest.Digest(machine));
        Assert.True(observer.Count > 100, $"only {observer.Count} events were reported");
        Assert.True(observer.IsOrdered, "events came out of order");
    }

    private sealed class CountingObserver : IMachineObserver
    {
        private Position _last;

        public int Count { get; private set; }
        public bool IsOrdered { get; private set; } = true;
        public uint WantedKinds => uint.MaxValue;

        public void OnEvent(in MachineEvent machineEvent)
        {
            Count++;
            if (machineEvent.At < _last) IsOrdered = false;
            _last = machineEvent.At;
        }
    }
}
