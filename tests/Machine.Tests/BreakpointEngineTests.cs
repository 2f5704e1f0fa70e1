using System.Collections.Generic;
using TestKit;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Machine.Tests;

/// <summary>Breakpoints are the same in all engines: what is reported, with which registers, where it is stopped, and what becomes of the machine.</summary>
public sealed class BreakpointEngineTests
{
    private const ulong ForEver = ulong.MaxValue, Slice = 2003;

    [Theory]
    [InlineData(1, null)]
    [InlineData(4, 3UL)]
    public void Generated_code_reports_what_the_interpreter_reports(int cpus, ulong? chaos)
    {
        ulong[] addresses = SomeCode(cpus, chaos);
        Assert.True(addresses.Length > 50, $"only {addresses.Length} addresses");
        (List<Seen> seen, string end, _) = Watch(EngineKind.Interpreter, addresses, cpus, chaos);
        Assert.True(seen.Count > 1000, $"only {seen.Count} events");
        foreach (EngineKind engine in (EngineKind[])[EngineKind.Translator, EngineKind.TranslatorOfSingleInstructions, EngineKind.TranslatorOfTraces, EngineKind.Auto])
        {
            (List<Seen> others, string otherEnd, long fromCode) = Watch(engine, addresses, cpus, chaos);
            for (int i = 0; i < seen.Count && i < others.Count; i++) Assert.Equal(seen[i], others[i]);
            Assert.Equal(seen.Count, others.Count);
            Assert.Equal(end, otherEnd);
            if (Vmm.Platform.Machine.HostTranslates && engine == EngineKind.Translator) Assert.True(fromCode > seen.Count / 2, $"{fromCode} of {seen.Count} were reported from code");
        }
    }

    [Fact]
    public void Which_instruction_came_before_is_told_in_all_engines()
    {
        ulong[] addresses = SomeCode(2, 5);
        (List<Seen> seen, _, _) = Watch(EngineKind.Interpreter, addresses, 2, 5, tellsWay: true);
        Assert.Contains(seen, static one => one.Before is not null);
        (List<Seen> others, _, long fromCode) = Watch(EngineKind.Translator, addresses, 2, 5, tellsWay: true);
        Assert.Equal(seen, others);
        Assert.Equal(0, fromCode);
    }

    [Fact]
    public void Code_stays_when_the_same_breakpoints_are_taken_off_and_set_again()
    {
        if (!Vmm.Platform.Machine.HostTranslates) Assert.Skip("this host does not translate");
        ulong[] addresses = SomeCode(2, 5);
        long whole = BlocksMade(addresses, isSetAgain: false, isOffBetween: false);
        Assert.Equal(whole, BlocksMade(addresses, isSetAgain: true, isOffBetween: false));
        // But not when the machine has run without them.
        Assert.True(BlocksMade(addresses, isSetAgain: true, isOffBetween: true) > whole);
    }

    private static long BlocksMade(ulong[] addresses, bool isSetAgain, bool isOffBetween)
    {
        using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), 2, 5);
        machine.Engine = EngineKind.Translator;
        var observer = new Observer(machine, tellsWay: false, stops: false);
        machine.Observer = observer;
        machine.SetBreakpoints(addresses);
        while (machine.Run(machine.InstructionCount + 20 * Slice) != RunStop.Ended)
        {
            if (!isSetAgain) continue;
            machine.SetBreakpoints([]);
            int before = observer.Seen.Count;
            if (isOffBetween) machine.Run(machine.InstructionCount + Slice);
            Assert.Equal(before, observer.Seen.Count);
            machine.SetBreakpoints(addresses);
        }
        return machine.TranslationCounters!.Blocks;
    }

    private readonly record struct Seen(Position At, int Cpu, ulong Address, ulong Rip, ulong Rsp, ulong Rax, ulong Rcx, ulong Flags, ulong? Before);

    private static (List<Seen> Seen, string End, long FromCode) Watch(EngineKind engine, ulong[] addresses, int cpus, ulong? chaos, bool tellsWay = false)
    {
        using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), cpus, chaos);
        machine.Engine = engine;
        var observer = new Observer(machine, tellsWay, stops: true);
        machine.Observer = observer;
        machine.SetBreakpoints(addresses, tellsWay: tellsWay);
        while (machine.Run(ForEver) != RunStop.Ended) observer.Stopped();
        return (observer.Seen, Guest.Digest(machine), machine.TranslationCounters?.Reports ?? 0);
    }

    /// <summary>Where the guest is now and then.</summary>
    private static ulong[] SomeCode(int cpus, ulong? chaos)
    {
        using Vmm.Platform.Machine machine = Guest.Demo64(new Silence(), cpus, chaos);
        var addresses = new HashSet<ulong>();
        while (addresses.Count < 200 && machine.Run(machine.InstructionCount + Slice) != RunStop.Ended)
            foreach (Vcpu vcpu in machine.Vcpus) addresses.Add(vcpu.State.Rip);
        return [.. addresses];
    }

    // Every now and then it stops the machine, before the instruction or behind it.
    private sealed class Observer(Vmm.Platform.Machine machine, bool tellsWay, bool stops) : IMachineObserver
    {
        private bool _goesOn;

        public List<Seen> Seen { get; } = [];
        public uint WantedKinds => 1U << (int)MachineEventKind.Execute;

        public void Stopped() => _goesOn = true;

        public void OnEvent(in MachineEvent e)
        {
            ref VcpuState state = ref machine.Vcpus[e.CpuIndex].State;
            Seen.Add(new Seen(e.At, e.CpuIndex, e.Address, state.Rip, state.Rsp, state.Rax, state.Rcx, state.ReadRFlags(), tellsWay ? machine.CodeBeforeBreakpoint(e.CpuIndex) : null));
            // One that it was stopped before is reported once more.
            bool goesOn = _goesOn;
            _goesOn = false;
            if (!stops || goesOn) return;
            if (Seen.Count % 97 == 0) machine.RequestStopBefore();
            else if (Seen.Count % 31 == 0) machine.RequestStop();
        }
    }
}
