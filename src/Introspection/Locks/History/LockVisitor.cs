using System.Collections.Generic;
using Introspection.Layouts;
using Introspection.Locks.Tasks;
using Introspection.State;
using Replay.Queries;
using Vmm.Cpu;
using Vmm.Platform;

namespace Introspection.Locks.History;

/// <summary>Notes what is done with locks in one interval of a recording. What belongs together is left to <see cref="LockTracker"/>, which sees all intervals in order.</summary>
/// <param name="table">What they are done with.</param>
/// <param name="tasks">Who does it.</param>
/// <param name="lends">What was found is in use only until the next interval begins, as nobody replays others meanwhile: the same list serves for all.</param>
internal sealed class LockVisitor(LockFunctionTable table, ICurrentTask tasks, bool lends = false) : IIntervalVisitor<List<LockEvent>>, IMachineObserver
{
    // Calls whose entry was in this interval, and calls that have surely ended: other returns may be of calls from earlier intervals.
    private readonly HashSet<ulong> _open = [], _ended = [];
    private Machine _machine = null!;
    private ReplayInterval _interval;
    private readonly List<LockEvent> _events = [];

    private readonly LockWordWatcher _words = new(table.Words);

    public uint WantedKinds => 1u << (int)MachineEventKind.Execute | (table.WatchesInterrupts ? 1u << (int)MachineEventKind.Interrupt : 0)
        | (table.Words.IsEmpty ? 0 : 1u << (int)MachineEventKind.Read | 1u << (int)MachineEventKind.Write);

    public void Begin(Machine machine, int index, in ReplayInterval interval)
    {
        (_machine, _interval) = (machine, interval);
        _events.Clear();
        _open.Clear();
        _ended.Clear();
        machine.Observer = this;
        machine.SetBreakpoints(table.Breakpoints);
        _words.Begin();
        if (!table.Words.IsEmpty) machine.SetWatches(table.Words.Watches);
    }

    public bool GoOn() => true;

    public List<LockEvent> End()
    {
        _machine.Observer = null;
        _machine.SetBreakpoints([]);
        if (!table.Words.IsEmpty) _machine.SetWatches([]);
        return lends ? _events : [.. _events];
    }

    public void OnEvent(in MachineEvent e)
    {
        if (e.At < _interval.From || e.At >= _interval.To || e.CpuIndex < 0) return;
        var view = new GuestView(_machine, _machine.Vcpus[e.CpuIndex]);
        if (e.Kind == MachineEventKind.Interrupt)
        {
            Add(view, e, LockStep.Interrupt, -1, (ulong)e.Number, 0, 0);
            return;
        }
        if (e.Kind is MachineEventKind.Read or MachineEventKind.Write)
        {
            bool hasInterruptsOn = HasInterruptsOn(view);
            ulong task = tasks.Of(view);
            _words.See(view, e, seen => _events.Add(seen with { HasInterruptsOn = hasInterruptsOn, Task = task }));
            return;
        }
        if (table.Sites.TryGetValue(e.Address, out LockWord? model)) SeeSite(view, e, model);
        if (table.IsPanic(e.Address)) Add(view, e, LockStep.Panic, -1, 0, 0, 0);
        ulong frame = FrameOf(view);
        if (table.IsExit(e.Address) && (_open.Remove(frame) || !_ended.Contains(frame)))
        {
            _ended.Add(frame);
            Add(view, e, LockStep.Return, -1, view.Vcpu.State.Rax, frame, 0);
        }
        if (table.At(e.Address) is not { } function || LockArgument.Read(view, function.Functions, isAtEntry: true) is not { } address || table.Words.Contains(address)) return;
        ulong caller = view.ReadNumber(view.StackAddress, view.CodeSize / 8) is { } number ? view.CodeAddressOf(number) : 0;
        if (!function.IsRelease)
        {
            // The first instruction may be begun twice, when it faults or is interrupted.
            if (!_open.Add(frame) && _events.Count > 0 && IsAgain(e, frame, address)) return;
            _ended.Remove(frame);
        }
        Add(view, e, function.IsRelease ? LockStep.Release : LockStep.Want, function.Number, address, frame, caller);
    }

    private void SeeSite(in GuestView view, in MachineEvent e, LockWord model)
    {
        // An instruction that faulted is begun again.
        if (_events.Count > 0 && _events[^1] is { Lock: not 0 } last && last.Count == e.At.InstructionCount && last.CpuIndex == e.CpuIndex) _events.RemoveAt(_events.Count - 1);
        bool hasInterruptsOn = HasInterruptsOn(view);
        ulong task = tasks.Of(view);
        _words.SeeAhead(view, e, model, seen => _events.Add(seen with { HasInterruptsOn = hasInterruptsOn, Task = task }));
    }

    private bool IsAgain(in MachineEvent e, ulong frame, ulong address)
    {
        for (int i = _events.Count - 1; i >= 0; i--)
        {
            LockEvent last = _events[i];
            if (last.Frame != frame || last.Step == LockStep.Interrupt) continue;
            return last.Step == LockStep.Want && last.Value == address && last.CpuIndex == e.CpuIndex;
        }
        return false;
    }

    private void Add(in GuestView view, in MachineEvent e, LockStep step, short function, ulong value, ulong frame, ulong caller) =>
        _events.Add(new LockEvent(e.At.InstructionCount, e.At.EventOrdinal, step, (byte)e.CpuIndex, function, HasInterruptsOn(view), value, frame,
            step == LockStep.Return ? 0 : tasks.Of(view), caller));

    private static bool HasInterruptsOn(in GuestView view) => (view.Vcpu.State.SystemFlags & RFlags.Interrupt) != 0;

    // A kernel's stacks are at one address in all address spaces; others are told apart by where they are in memory.
    private static ulong FrameOf(in GuestView view)
    {
        ulong stack = view.StackAddress;
        return stack >> 63 != 0 ? stack : view.Translate(stack) ?? stack;
    }
}
