using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Introspection.Unwinding;
using Replay.Queries;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Calls;

/// <summary>
/// Pairs entries with returns in one interval, by breakpoints at the functions' first instructions and behind their callers' calls. A call is known by the stack slot of its
/// return address: it has returned when a vCPU stands at that address with the stack pointer just above the slot, whatever ran in between and on whichever vCPU.
/// </summary>
internal sealed class CallVisitor : IIntervalVisitor<IntervalCalls>, IMachineObserver
{
    private const ulong RootMask = ~0xFFFUL;
    private const int MaximumOpen = 1 << 20;

    private enum Entrance
    {
        Call,
        Jump,
        /// <summary>From the function itself: a loop.</summary>
        Inside,
        Unknown,
    }

    private readonly CallQuery _query;
    private readonly WantedCalls _wanted;
    private readonly int _limit;
    private readonly IReadOnlyList<FunctionCall> _carried;
    private Machine _machine = null!;
    private ReplayInterval _interval;
    private Dictionary<ulong, List<FunctionCall>> _open = [];
    private List<FunctionCall> _calls = [];
    private HashSet<ulong> _watched = [], _sites = [];
    private Dictionary<ulong, List<ReturnEvent>> _early = [];
    private Dictionary<ulong, List<FirstEntry>> _first = [];
    private List<Position> _resumed = [];
    private int _openCount, _rejectedCount, _acceptedCount;
    private bool _hasNewSites;

    /// <param name="query">What is looked for.</param>
    /// <param name="wanted">Which calls.</param>
    /// <param name="limit">Of the first ones, how many at most.</param>
    /// <param name="carried">Calls from earlier intervals, when there is only one interval.</param>
    public CallVisitor(CallQuery query, WantedCalls wanted, int limit, IReadOnlyList<FunctionCall> carried)
    {
        _query = query;
        _wanted = wanted;
        _limit = limit;
        _carried = carried;
    }

    public uint WantedKinds => 1u << (int)MachineEventKind.Execute;

    public void Begin(Machine machine, int index, in ReplayInterval interval)
    {
        (_machine, _interval) = (machine, interval);
        (_open, _calls, _early, _first, _resumed) = ([], [], [], [], []);
        (_openCount, _rejectedCount, _acceptedCount, _hasNewSites) = (0, 0, 0, false);
        _watched = _query.Sites.Snapshot();
        foreach (FunctionCall call in _carried)
        {
            _watched.Add(call.ReturnAddress);
            AddOpen(call);
        }
        _sites = [.. _watched];
        machine.Observer = this;
        SetBreakpoints();
    }

    public bool GoOn()
    {
        if (_hasNewSites) SetBreakpoints();
        _hasNewSites = false;
        return _wanted != WantedCalls.None || _carried.Count == 0 || _openCount > 0;
    }

    public IntervalCalls End()
    {
        _machine.Observer = null;
        _machine.SetBreakpoints([]);
        _calls.RemoveAll(static call => call.IsRejected);
        var open = new List<FunctionCall>();
        foreach (FunctionCall call in _calls)
            if (call.End == CallEnd.Open) open.Add(call);
        return new IntervalCalls { Calls = _calls, Open = open, Watched = _watched, EarlyReturns = _early, FirstEntries = _first, Resumed = _resumed };
    }

    public void OnEvent(in MachineEvent machineEvent)
    {
        if (machineEvent.At < _interval.From || machineEvent.At >= _interval.To) return;
        var view = new GuestView(_machine, _machine.Vcpus[machineEvent.CpuIndex]);
        if (_sites.Contains(machineEvent.Address)) OnReturnSite(view, machineEvent);
        if (_query.Targets.TryGetValue(machineEvent.Address, out CallTarget? target)) OnEntry(view, target, machineEvent);
    }

    private void OnReturnSite(in GuestView view, in MachineEvent machineEvent)
    {
        if (PoppedBytes(view, _machine.CodeBeforeBreakpoint(machineEvent.CpuIndex)) is not { } popped) return;
        int word = view.CodeSize / 8;
        ulong slot = view.StackAddress - (ulong)(word + popped);
        ulong? physical = view.Translate(slot);
        ref VcpuState state = ref view.Vcpu.State;
        var happened = new ReturnEvent(machineEvent.Address, state.Cr3 & RootMask, physical, state.Cpl < 3, machineEvent.At, machineEvent.CpuIndex, CallRegisters.Of(view));
        bool isKnown = false;
        if (_open.TryGetValue(slot, out List<FunctionCall>? calls))
        {
            // Several where there were tail calls.
            for (int i = calls.Count - 1; i >= 0; i--)
            {
                FunctionCall call = calls[i];
                if (call.ReturnAddress != machineEvent.Address || !call.IsOnStack(happened.AddressSpace, physical, happened.IsSupervisor)) continue;
                isKnown = true;
                _query.Return(call, happened, new ViewMemory(view));
                Close(slot, calls, i);
                if (call.IsRejected) Reject();
                else if (_wanted == WantedCalls.Last) ForgetBefore(call);
                else if (_query.NeedsResult) _acceptedCount++;
            }
        }
        if (!isKnown && _carried.Count == 0) NoteEarlyReturn(slot, happened);
    }

    // What the return took off the stack beside its address, as stdcall and the i386's structure results do. Null: the code behind the call was reached by a branch.
    private static int? PoppedBytes(in GuestView view, ulong? previous)
    {
        if (previous is not { } code) return 0;
        Instruction instruction = new Disassembler(view).Decode(code);
        if (CodeShape.IsReturn(instruction)) return instruction.OpCount > 0 ? (int)instruction.GetImmediate(0) : 0;
        // Interrupted right behind the return; or it pops its return address and jumps there.
        return CodeShape.IsInterruptReturn(instruction) || CodeShape.IsSystemReturn(instruction) || instruction.FlowControl == FlowControl.IndirectBranch ? 0 : null;
    }

    // It may be the return of a call from an earlier interval.
    private void NoteEarlyReturn(ulong slot, in ReturnEvent happened)
    {
        if (_first.TryGetValue(slot, out List<FirstEntry>? entries))
            foreach (FirstEntry entry in entries)
                if (IsSameStack(entry.AddressSpace, entry.SlotPhysical, happened.AddressSpace, happened.SlotPhysical)) return;
        if (!_early.TryGetValue(slot, out List<ReturnEvent>? returns)) _early[slot] = returns = [];
        foreach (ReturnEvent other in returns)
            if (other.Address == happened.Address && IsSameStack(other.AddressSpace, other.SlotPhysical, happened.AddressSpace, happened.SlotPhysical)) return;
        returns.Add(happened);
    }

    private static bool IsSameStack(ulong spaceA, ulong? physicalA, ulong spaceB, ulong? physicalB) => spaceA == spaceB && physicalA == physicalB;

    private void OnEntry(in GuestView view, CallTarget target, in MachineEvent machineEvent)
    {
        Entrance entrance = EntranceOf(view, target, _machine.CodeBeforeBreakpoint(machineEvent.CpuIndex));
        if (entrance == Entrance.Inside) return;
        ulong slot = view.StackAddress, space = view.Vcpu.State.Cr3 & RootMask;
        ulong? physical = view.Translate(slot);
        bool isSupervisor = view.Vcpu.State.Cpl < 3;
        ulong returnAddress = view.ReadNumber(slot, view.CodeSize / 8) is { } number ? view.CodeAddressOf(number) : 0;
        if (IsResumed(slot, target, entrance, returnAddress, space, physical, isSupervisor))
        {
            _resumed.Add(machineEvent.At);
            return;
        }
        FunctionCall? call = IsWanted ? Wanted(view, target, EnteredBy(entrance), slot, physical, returnAddress, machineEvent) : null;
        if (_carried.Count == 0) NoteFirstEntry(slot, new FirstEntry(space, physical, isSupervisor, EnteredBy(entrance), target, returnAddress, call));
        if (call is null) return;
        if (_wanted == WantedCalls.Last && !_query.NeedsResult) ForgetBefore(call);
        _calls.Add(call);
        if (!_query.NeedsResult) _acceptedCount++;
        if (_openCount >= MaximumOpen) return;
        AddOpen(call);
        if (_sites.Count >= ReturnSites.MaximumCount || !_sites.Add(returnAddress)) return;
        _query.Sites.Add(returnAddress);
        // Between two runs its breakpoint can be set: before the instruction behind this one.
        _hasNewSites = true;
        _machine.RequestStop();
    }

    private bool IsWanted => _wanted == WantedCalls.Last || (_wanted == WantedCalls.First && _acceptedCount < _limit);

    // Most calls may fail a condition: they are not all kept.
    private void Reject()
    {
        if (++_rejectedCount < 1000 || _rejectedCount < _calls.Count / 2) return;
        _calls.RemoveAll(static call => call.IsRejected);
        _rejectedCount = 0;
    }

    private FunctionCall? Wanted(in GuestView view, CallTarget target, CallEntry enteredBy, ulong slot, ulong? physical, ulong returnAddress, in MachineEvent machineEvent)
    {
        var registers = CallRegisters.Of(view);
        var memory = new ViewMemory(view);
        IReadOnlyList<CallValue> arguments = _query.Reader.Arguments(target, registers, memory);
        if (!_query.MayHold(registers, arguments, memory)) return null;
        return new FunctionCall
        {
            Target = target, Entry = machineEvent.At, CpuIndex = machineEvent.CpuIndex, AddressSpace = view.Vcpu.State.Cr3 & RootMask, EnteredBy = enteredBy,
            Slot = slot, SlotPhysical = physical, ReturnAddress = returnAddress, Arguments = arguments, Registers = registers, IsSupervisor = view.Vcpu.State.Cpl < 3,
        };
    }

    // What an entry says about calls that have their return address in the same slot. True: it is one of them, which goes on.
    private bool IsResumed(ulong slot, CallTarget target, Entrance entrance, ulong returnAddress, ulong space, ulong? physical, bool isSupervisor)
    {
        if (!_open.TryGetValue(slot, out List<FunctionCall>? calls)) return false;
        for (int i = calls.Count - 1; i >= 0; i--)
        {
            FunctionCall call = calls[i];
            if (!call.IsOnStack(space, physical, isSupervisor)) continue;
            bool isSameReturn = call.ReturnAddress == returnAddress;
            // The first instruction faulted, or was interrupted in the middle: it is begun again.
            if (entrance == Entrance.Unknown && isSameReturn && call.Target == target) return true;
            // A tail call returns together with the call that it is made from.
            if (entrance == Entrance.Jump && isSameReturn) continue;
            call.End = CallEnd.Abandoned;
            call.IsRejected = _query.NeedsResult;
            Close(slot, calls, i);
        }
        return false;
    }

    private static Entrance EntranceOf(in GuestView view, CallTarget target, ulong? previous)
    {
        if (previous is not { } code) return Entrance.Unknown;
        Instruction instruction = new Disassembler(view).Decode(code);
        if (CodeShape.IsInterruptReturn(instruction) || CodeShape.IsSystemReturn(instruction)) return Entrance.Unknown;
        if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall) return Entrance.Call;
        return target.Contains(code) ? Entrance.Inside : Entrance.Jump;
    }

    private static CallEntry EnteredBy(Entrance entrance) => entrance switch
    {
        Entrance.Call => CallEntry.Call,
        Entrance.Jump => CallEntry.TailCall,
        _ => CallEntry.Unknown,
    };

    private void NoteFirstEntry(ulong slot, in FirstEntry entry)
    {
        if (!_first.TryGetValue(slot, out List<FirstEntry>? entries)) _first[slot] = entries = [];
        foreach (FirstEntry other in entries)
            if (IsSameStack(other.AddressSpace, other.SlotPhysical, entry.AddressSpace, entry.SlotPhysical)) return;
        entries.Add(entry);
    }

    private void AddOpen(FunctionCall call)
    {
        if (!_open.TryGetValue(call.Slot, out List<FunctionCall>? calls)) _open[call.Slot] = calls = [];
        calls.Add(call);
        _openCount++;
    }

    private void Close(ulong slot, List<FunctionCall> calls, int index)
    {
        calls.RemoveAt(index);
        _openCount--;
        if (calls.Count == 0) _open.Remove(slot);
    }

    // Where only the last call is wanted, earlier ones do not matter any more.
    private void ForgetBefore(FunctionCall call)
    {
        int count = _calls.FindIndex(one => one.Entry >= call.Entry);
        if (count < 0) count = _calls.Count;
        for (int i = 0; i < count; i++)
        {
            FunctionCall old = _calls[i];
            if (old.End == CallEnd.Open && _open.TryGetValue(old.Slot, out List<FunctionCall>? calls) && calls.IndexOf(old) is >= 0 and var index) Close(old.Slot, calls, index);
        }
        _calls.RemoveRange(0, count);
    }

    private void SetBreakpoints()
    {
        var all = new HashSet<ulong>(_sites);
        all.UnionWith(_query.Targets.Keys);
        _machine.SetBreakpoints(all, tellsWay: true);
    }
}
