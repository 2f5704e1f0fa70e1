using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Devices;
using Vmm.Inputs;
using Vmm.Interpretation;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform.Boot;
using Vmm.Platform.Firmware;
using Vmm.Snapshots;
using Vmm.Time;
using Vmm.Translation;

namespace Vmm.Platform;

/// <summary>
/// A whole machine: a function of its configuration, its images and its inputs. Not thread-safe, except <see cref="RequestStop"/>; several machines run side by
/// side in one process.
/// </summary>
public sealed class Machine : IDisposable
{
    /// <summary>At most so many instructions pass until a request to stop from another thread is seen.</summary>
    private const ulong LongestRun = 1_000_000;

    private readonly InstructionCounter _counter = new();
    private readonly TimerQueue _timers = new();
    private readonly MachineClock _clock;
    private readonly Scheduler _scheduler;
    private readonly Observation _observation;
    private readonly Watcher _watcher;
    private readonly BlockCache _blocks;
    private readonly Coherence _coherence;
    private readonly MachineControl _control;
    private readonly Vcpu[] _vcpus;
    private readonly List<PagedMemory> _pagedMemories = [];
    private IInputSource _inputs;
    private volatile bool _stopRequested;
    private Translator? _translator;
    private BreakpointSet? _newBreakpoints;
    private bool _hasNewBreakpoints;
    private EngineKind _engine = EngineKind.Interpreter;

    /// <summary>Builds a machine at <see cref="Position.Start"/>.</summary>
    /// <exception cref="BootImageException">An image cannot be booted; the message says why.</exception>
    public Machine(MachineConfiguration configuration, IInputSource inputs, IOutputSink outputs)
    {
        Invariant.Check(configuration.CpuCount is >= 1 and <= 8);
        Configuration = configuration;
        _inputs = inputs;
        _clock = new MachineClock(_counter, configuration.Clock == ClockKind.Host) { Inputs = inputs };
        _scheduler = new Scheduler(configuration);
        _observation = new Observation(_counter) { Outputs = outputs };
        Memory = new PhysicalMemory(configuration.MemorySizeBytes, BiosLoader.RomSizeBytes(configuration));
        ShadowPageTables = new ShadowPageTables(Memory);
        _blocks = new BlockCache(Memory);
        _watcher = new Watcher(Memory, _observation);
        var bus = new CpuBus(Memory, _observation, _watcher, _clock, _scheduler, _counter) { CpuCount = configuration.CpuCount };

        _vcpus = new Vcpu[configuration.CpuCount];
        for (int i = 0; i < _vcpus.Length; i++)
        {
            var vcpu = new Vcpu(i, bus);
            VcpuReset.PowerUp(ref vcpu.State);
            if (i > 0) vcpu.State.Activity = VcpuActivity.WaitingForSipi;
            vcpu.Mmu = new Mmu(vcpu, Memory, ShadowPageTables, bus);
            vcpu.Interpreter = new Interpreter(vcpu, _blocks);
            _vcpus[i] = vcpu;
        }
        bus.Vcpus = _vcpus;
        _control = new MachineControl(_vcpus, _counter);
        bus.UnimplementedInstruction = _control.Unimplemented;
        _coherence = new Coherence(Memory, _blocks, ShadowPageTables, _vcpus, _watcher);
        Memory.StoreListener = _coherence;
        ShadowPageTables.Listener = _coherence;
        _blocks.Listener = _coherence;
        _timers.DeadlineChanged = _control.Changed;

        var tables = new FirmwareTables(configuration.CpuCount);
        Chipset = new Chipset(configuration, Memory, tables, new ChipsetServices(_clock, _timers, _control, _control, _control, _control,
            new InputEntropy(this, _counter), channel => new OutputPort(_observation, channel)));
        bus.Chipset = Chipset;
        _pagedMemories.Add(Memory.Ram);
        foreach (Disk disk in Chipset.Disks) _pagedMemories.Add(disk.Pages);
        if (configuration.Boots) BootLoader.Load(configuration, Memory, ref _vcpus[0].State, tables);
        foreach (Vcpu vcpu in _vcpus) vcpu.Mmu.Reload();
        Engine = configuration.Engine;
    }

    /// <summary>Of the instructions before a stop, how many are always interpreted: no generated code is entered that could pass it.</summary>
    public const ulong InterpretedBeforeStop = VcpuTranslation.Margin;

    /// <summary>This host can run translated code (Linux or Windows on x86-64 that gives executable memory); elsewhere the interpreter serves, whatever is asked for.</summary>
    public static bool HostTranslates => Host.ExecutableMemory.IsSupported;

    /// <summary>What executes: at first what the configuration says. It can be changed between runs.</summary>
    public EngineKind Engine
    {
        get => _engine;
        set
        {
            if (value == _engine) return;
            _engine = value;
            // Blocks know the code that was made from them.
            _blocks.Clear();
            _blocks.MaximumLength = value == EngineKind.TranslatorOfSingleInstructions ? 1 : Block.MaximumLength;
            _translator?.Dispose();
            int warmAt = value switch { EngineKind.Auto => Translator.WarmAt, EngineKind.TranslatorOfTraces => 2, _ => 1 };
            _translator = value == EngineKind.Interpreter ? null : Translator.TryCreate(Memory, _blocks, _vcpus, warmAt);
            foreach (Vcpu vcpu in _vcpus)
            {
                vcpu.Interpreter.Clear();
                vcpu.Interpreter.Translator = _translator;
            }
        }
    }

    /// <summary>
    /// The block that a vCPU executes next, beside what the translator makes of it; null: it is not translated, or the engine is the interpreter. Its page is fetched as by the
    /// instruction, which marks it accessed: for a machine that nobody goes on with.
    /// </summary>
    public BlockListing? ListBlock(int cpuIndex)
    {
        Vcpu vcpu = _vcpus[cpuIndex];
        if (_hasNewBreakpoints) TakeNewBreakpoints();
        if (_translator is null || !vcpu.FetchIsFlat || _blocks.Find(vcpu, vcpu.State.Rip, vcpu.CodeSize) is not { } block) return null;
        return _translator.List(vcpu, block);
    }

    /// <summary>Makes all code of the translator once more, to measure how long that takes; returns how many blocks there were.</summary>
    public int TranslateAgain() => _translator?.MakeAgain() ?? 0;

    /// <summary>What generates code for this machine; null: nobody.</summary>
    internal Translator? Translator => _translator;

    /// <summary>What the translator has done for this machine; null: there is none.</summary>
    public TranslationCounters? TranslationCounters => _translator?.Counters;

    public MachineConfiguration Configuration { get; }
    public PhysicalMemory Memory { get; }
    public IReadOnlyList<Vcpu> Vcpus => _vcpus;

    /// <summary>The vCPU whose turn it is.</summary>
    public int CurrentCpuIndex => _scheduler.Current;

    public Position Position => new(_counter.Retired, _counter.EventOrdinal);
    public ulong InstructionCount => _counter.Retired;
    public ulong GuestNanoseconds => _clock.KnownNanoseconds;

    /// <summary><see cref="OutcomeKind.None"/> while it lives.</summary>
    public Outcome Outcome => _control.Outcome;

    /// <summary>All memory that checkpoints keep page-wise: RAM first, then one per disk.</summary>
    public IReadOnlyList<PagedMemory> PagedMemories => _pagedMemories;

    public ShadowPageTables ShadowPageTables { get; }
    public ExitCounters Exits => _observation.Exits;
    internal Chipset Chipset { get; }

    /// <summary>The CRTC's start and cursor offsets in characters from B8000h, for showing the text screen.</summary>
    public (int Start, int Cursor) TextScreen => (Chipset.Vga.StartOffset, Chipset.Vga.CursorOffset);

    /// <summary>What every chip holds now, in the order of a snapshot.</summary>
    public IReadOnlyList<ChipState> ReadChips()
    {
        var chips = new List<ChipState>();
        foreach (ISnapshotted chip in Chipset.Parts)
        {
            var writer = new StateWriter();
            chip.Save(writer);
            chips.Add(new ChipState(chip.SnapshotName, StateFields.Parse(writer.WrittenMemory)));
        }
        return chips;
    }

    /// <summary>The shadow page table of a vCPU's current address space.</summary>
    public ShadowPageTable ShadowOf(int cpuIndex) => _vcpus[cpuIndex].Mmu.Space;

    public IMachineObserver? Observer
    {
        get => _observation.Observer;
        set => _observation.Observer = value;
    }

    /// <summary>Is told of every turn.</summary>
    public ITurnObserver? TurnObserver
    {
        get => _scheduler.Observer;
        set => _scheduler.Observer = value;
    }

    /// <summary>Another source from here on (a diversion's, or a replay's at a checkpoint).</summary>
    public IInputSource Inputs
    {
        get => _inputs;
        set
        {
            _inputs = value;
            _clock.Inputs = value;
        }
    }

    /// <summary>
    /// Instruction breakpoints by linear and by guest-physical address; they report <see cref="MachineEventKind.Execute"/> and do not stop by themselves.
    /// </summary>
    /// <param name="linearAddresses">Linear addresses.</param>
    /// <param name="physicalAddresses">Guest-physical ones; null: none.</param>
    /// <param name="tellsWay"><see cref="CodeBeforeBreakpoint"/> is asked, which makes breakpoints slower.</param>
    public void SetBreakpoints(IReadOnlyCollection<ulong> linearAddresses, IReadOnlyCollection<ulong>? physicalAddresses = null, bool tellsWay = false)
    {
        var breakpoints = new BreakpointSet(linearAddresses, physicalAddresses ?? [], tellsWay);
        _newBreakpoints = breakpoints.IsEmpty ? null : breakpoints;
        _hasNewBreakpoints = true;
    }

    /// <summary>
    /// Before the next instruction, as whoever looks at one stretch after the other takes them off behind each. Blocks that were decoded without them may run across them, and are made anew
    /// unless they are what they were.
    /// </summary>
    private void TakeNewBreakpoints()
    {
        _hasNewBreakpoints = false;
        BreakpointSet? before = _blocks.Decoder.BlockStarts, now = _newBreakpoints;
        _newBreakpoints = null;
        if (now is null ? before is null : before is not null && now.IsSame(before)) return;
        _blocks.Decoder.BlockStarts = now;
        _blocks.Clear();
        foreach (Vcpu vcpu in _vcpus)
        {
            vcpu.Interpreter.Clear();
            vcpu.Interpreter.Breakpoints = now;
        }
    }

    /// <summary>
    /// While a breakpoint is reported that was set to tell it: linear address of the instruction that its vCPU executed before, as the call that has led there; null: not known, as right
    /// behind a restored snapshot.
    /// </summary>
    public ulong? CodeBeforeBreakpoint(int cpuIndex) => _vcpus[cpuIndex].Interpreter.PreviousCode;

    /// <summary>Watched ranges; they report reads and writes and do not stop by themselves.</summary>
    public void SetWatches(IReadOnlyCollection<Watch> watches) => _watcher.Set(watches, _vcpus);

    /// <summary>Makes <see cref="Run"/> return <see cref="RunStop.Requested"/> at the next boundary. Callable from an observer and from other threads.</summary>
    public void RequestStop()
    {
        _stopRequested = true;
        _control.Changed();
    }

    /// <summary>While a breakpoint is reported: asks to stop before its instruction is executed.</summary>
    public void RequestStopBefore()
    {
        _stopRequested = true;
        if (_counter.Running is { } vcpu) vcpu.StopsBefore = true;
    }

    /// <summary>
    /// Between runs: the next turn begins here, and is that vCPU's or, if it cannot run, the next one's that can. For those who try schedules out: it is not part of the
    /// configuration, so a machine that is recorded has <see cref="MachineConfiguration.ForcedSwitches"/> instead.
    /// </summary>
    public void ForceTurn(int cpuIndex)
    {
        Invariant.Check(cpuIndex >= 0 && cpuIndex < _vcpus.Length);
        _scheduler.Force(cpuIndex);
    }

    /// <summary>
    /// Runs until InstructionCount is <paramref name="untilCount"/> (returning as soon as it is, before any event at that count), the machine ends, or
    /// a stop is requested. Stopping and going on is unobservable to the guest.
    /// </summary>
    public RunStop Run(ulong untilCount)
    {
        while (true)
        {
            if (_control.Outcome.Kind != OutcomeKind.None) return RunStop.Ended;
            if (_counter.Retired >= untilCount) return RunStop.CountReached;
            if (_stopRequested)
            {
                _stopRequested = false;
                return RunStop.Requested;
            }
            Transition(untilCount);
        }
    }

    /// <summary>Does exactly one transition: retires one instruction (or one REP iteration), or lets one event happen. Position moves by exactly that.</summary>
    public RunStop Step()
    {
        if (_control.Outcome.Kind != OutcomeKind.None) return RunStop.Ended;
        Transition(_counter.Retired + 1);
        return _control.Outcome.Kind != OutcomeKind.None ? RunStop.Ended : RunStop.CountReached;
    }

    /// <summary>One event, or instructions up to <paramref name="untilCount"/>.</summary>
    private void Transition(ulong untilCount)
    {
        if (_hasNewBreakpoints) TakeNewBreakpoints();
        if (TryEvent())
        {
            _counter.EventOrdinal++;
            return;
        }
        ulong limit = Math.Min(untilCount, NextStop());
        Execute(_vcpus[_scheduler.Current], limit);
    }

    /// <summary>The InstructionCount at which the boundary has to be looked at again.</summary>
    private ulong NextStop()
    {
        ulong count = _counter.Retired;
        ulong stop = Math.Min(Math.Max(_inputs.NextArrival, count + 1), Math.Max(_scheduler.TurnEnd, count + 1));
        stop = Math.Min(stop, count + LongestRun);
        if (_clock.FollowsHost) return Math.Min(stop, Math.Max(_clock.NextPoll, count + 1));
        if (_timers.NextDeadlineNanoseconds != ulong.MaxValue)
            stop = Math.Min(stop, Math.Max(_clock.CountAt(_timers.NextDeadlineNanoseconds), count + 1));
        return stop;
    }

    /// <summary>Lets the first event happen that is due at this boundary. The order is part of the determinism contract.</summary>
    private bool TryEvent()
    {
        ulong count = _counter.Retired;
        if (count >= _inputs.NextArrival && _inputs.TryTake(Position, out InputEvent input))
        {
            _observation.Publish(MachineEventKind.Input, null, (long)input.Kind, 0);
            InputDelivery.Deliver(Chipset, _control, input);
            return true;
        }
        if (_clock.FollowsHost && count >= _clock.NextPoll)
        {
            _clock.Poll();
            return true;
        }
        if (_timers.ExpireOne(_clock.KnownNanoseconds)) return true;

        uint runnable = Runnable();
        int current = _scheduler.Current;
        if (runnable == 0) return TryIdle();
        if ((runnable >> current & 1) == 0 || (count >= _scheduler.TurnEnd && _vcpus.Length > 1))
        {
            _scheduler.Switch(count, runnable);
            _observation.Publish(MachineEventKind.Schedule, _vcpus[current], _scheduler.Current, 0);
            return true;
        }
        return TryInterrupt(_vcpus[current]);
    }

    /// <summary>Bit n: vCPU n is running, or halted with something that wakes it.</summary>
    private uint Runnable()
    {
        uint runnable = 0;
        foreach (Vcpu vcpu in _vcpus)
        {
            bool can = vcpu.State.Activity == VcpuActivity.Running || (vcpu.State.Activity == VcpuActivity.Halted && (vcpu.State.NmiPending != 0 || HasInterrupt(vcpu)));
            if (can) runnable |= 1U << vcpu.Index;
        }
        return runnable;
    }

    private bool HasInterrupt(Vcpu vcpu)
    {
        if ((vcpu.State.SystemFlags & RFlags.Interrupt) == 0) return false;
        LocalApic apic = Chipset.LocalApics[vcpu.Index];
        return apic.HasInterrupt || (Chipset.Pic.Output && apic.AcceptsExtInt);
    }

    /// <summary>Everybody is halted: time skips to the next timer, or with the host's clock passes.</summary>
    private bool TryIdle()
    {
        ulong deadline = _timers.NextDeadlineNanoseconds;
        ulong now = _clock.KnownNanoseconds;
        if (_inputs.Idle(Position, deadline == ulong.MaxValue ? ulong.MaxValue : deadline - Math.Min(now, deadline))) return true;
        if (deadline == ulong.MaxValue && _inputs.NextArrival == ulong.MaxValue)
            _control.End(OutcomeKind.Halted, 0, "every vCPU is halted for ever: no timer is armed and no input is to come");
        else if (_clock.FollowsHost) _clock.Refresh();
        else if (deadline != ulong.MaxValue) _clock.SkipTo(deadline);
        return true;
    }

    /// <summary>Debug traps, NMI and interrupts, in that order (SDM 3A table 6-2), unless an interrupt shadow holds them off.</summary>
    private bool TryInterrupt(Vcpu vcpu)
    {
        ref VcpuState s = ref vcpu.State;
        if (s.PendingDebug != 0 && s.InterruptShadow != 2)
        {
            uint cause = s.PendingDebug;
            s.PendingDebug = 0;
            DeliverException(vcpu, new PendingException(Vector.Debug, 0, cause));
            return true;
        }
        if (s.InterruptShadow != 0) return false;
        if (s.NmiPending != 0 && s.NmiBlocked == 0)
        {
            s.NmiPending = 0;
            s.NmiBlocked = 1;
            s.Activity = VcpuActivity.Running;
            DeliverInterrupt(vcpu, (byte)Vector.NonMaskableInterrupt);
            return true;
        }
        if (!HasInterrupt(vcpu)) return false;
        LocalApic apic = Chipset.LocalApics[vcpu.Index];
        bool external = Chipset.Pic.Output && apic.AcceptsExtInt;
        byte vector = external ? Chipset.Pic.Acknowledge() : (byte)apic.AcknowledgeInterrupt();
        s.Activity = VcpuActivity.Running;
        DeliverInterrupt(vcpu, vector);
        return true;
    }

    private void DeliverInterrupt(Vcpu vcpu, byte vector)
    {
        _observation.Exits.Increment(ExitReason.ExternalInterrupt);
        _observation.Publish(MachineEventKind.Interrupt, vcpu, vector, 0);
        if (InterruptDelivery.TryDeliver(vcpu, vector, InterruptSource.Hardware)) return;
        DeliverException(vcpu, vcpu.PendingException);
    }

    private void DeliverException(Vcpu vcpu, PendingException exception)
    {
        _observation.Exits.Increment(ExitReason.Exception);
        _observation.Publish(MachineEventKind.Exception, vcpu, (long)exception.Vector, exception.ErrorCode, exception.Address);
        vcpu.State.InterruptShadow = 0;
        if (InterruptDelivery.TryDeliverException(vcpu, exception)) return;
        vcpu.State.Activity = VcpuActivity.Shutdown;
        _control.End(OutcomeKind.TripleFault, 0,
            $"triple fault on vCPU {vcpu.Index} at RIP 0x{vcpu.State.Rip:x}: exception {exception.Vector} could not be delivered, nor a double fault");
    }

    private void Execute(Vcpu vcpu, ulong limit)
    {
        ref VcpuState s = ref vcpu.State;
        bool single = s.InterruptShadow != 0 || (s.SystemFlags & (RFlags.Trap | RFlags.Resume)) != 0 || DebugBreakpoints.AnyInstruction(s);
        if (single && !TryPrepareSingle(vcpu)) return;
        bool trap = (s.SystemFlags & RFlags.Trap) != 0;
        ulong before = _counter.Retired, count = before;
        if (single)
        {
            limit = count + 1;
            s.InterruptShadow = 0;
        }
        vcpu.CountBase = count;
        vcpu.OpIndex = 0;
        vcpu.SuppressTrap = false;
        _counter.Running = vcpu;
        InterpreterStop stop = vcpu.Interpreter.Run(ref count, limit);
        _counter.Running = null;
        vcpu.Interpreter.EndRun();
        vcpu.CurrentBlock = null;
        if (count != before)
        {
            _counter.Retired = count;
            _counter.EventOrdinal = 0;
        }
        if (stop == InterpreterStop.Fault)
        {
            // An instruction that the engine does not know ends the machine right before it.
            if (_control.Outcome.Kind != OutcomeKind.None) return;
            DeliverException(vcpu, vcpu.PendingException);
            _counter.EventOrdinal++;
        }
        else if (trap && !vcpu.SuppressTrap && s.InterruptShadow != 2)
        {
            s.PendingDebug |= 1 << 14; // DR6.BS
        }
    }

    /// <summary>
    /// Before an instruction that runs alone: the guest's instruction breakpoints (a fault, unless RF), and RF, which lasts for one instruction. False: an event
    /// happened instead.
    /// </summary>
    private bool TryPrepareSingle(Vcpu vcpu)
    {
        ref VcpuState s = ref vcpu.State;
        if ((s.SystemFlags & RFlags.Resume) != 0)
        {
            s.SystemFlags &= ~RFlags.Resume;
            return true;
        }
        ulong linear = s.Rip + (vcpu.Is64BitCode ? 0 : s.Segment(SegmentIndex.Cs).Base);
        uint hit = DebugBreakpoints.MatchInstruction(s, linear);
        if (hit == 0) return true;
        DeliverException(vcpu, new PendingException(Vector.Debug, 0, hit));
        _counter.EventOrdinal++;
        return false;
    }

    /// <summary>Saves everything but the pages of <see cref="PagedMemories"/>. Only between transitions.</summary>
    public void SaveState(StateWriter writer) => MachineState.Save(writer, Parts());

    /// <summary>Takes over a saved state. The caller has marked those pages absent that differ. What is cached of others' code stays, all else is dropped.</summary>
    public void RestoreState(StateReader reader)
    {
        _coherence.ForgetAbsent();
        MachineState.Restore(reader, Parts());
        _stopRequested = false;
        _coherence.ForgetState();
        _watcher.UpdateLinearPages(_vcpus);
        _control.Changed();
    }

    private MachineParts Parts() => new(_counter, _control, _clock, _scheduler, _observation.Exits, _vcpus, Chipset.Parts);

    /// <summary>Begins a dirty-tracking epoch: afterwards <see cref="PagedMemory.CollectDirty"/> lists what was written since now.</summary>
    public void BeginEpoch()
    {
        foreach (PagedMemory memory in _pagedMemories) memory.ClearDirty();
        foreach (Vcpu vcpu in _vcpus) vcpu.Mmu.ProtectAll();
    }

    /// <summary>Tells every cache that RAM was changed from outside (a diversion's memory write).</summary>
    public void InvalidateCaches() => _coherence.Clear();

    public void Dispose()
    {
        _translator?.Dispose();
        Memory.Dispose();
        foreach (Disk disk in Chipset.Disks) disk.Dispose();
    }
}

/// <summary>A watched range of memory.</summary>
/// <param name="IsPhysical">Address is guest-physical; else linear, in whatever address space is current.</param>
/// <param name="Address">First byte.</param>
/// <param name="SizeBytes">At least 1.</param>
/// <param name="Reads">Report reads.</param>
/// <param name="Writes">Report writes.</param>
public readonly record struct Watch(bool IsPhysical, ulong Address, int SizeBytes, bool Reads, bool Writes);

/// <summary>An image that cannot be booted.</summary>
public sealed class BootImageException(string message) : Exception(message);
