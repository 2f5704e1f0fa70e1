using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Introspection.Unwinding;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;

namespace Dap.Tests.Oracles;

/// <summary>
/// Every transition of a recording, single-stepped from its start, with the call that it belongs to. Calls are known by the stack slots that hold their return
/// addresses, so that it is no matter which vCPU goes on with a stack.
/// </summary>
internal sealed class CallOracle
{
    private const ulong SwitchDistance = 512, SearchDistance = 256;

    private readonly record struct Slot(ulong AddressSpace, ulong Stack);

    private readonly Dictionary<Slot, Activation> _calls = [], _interrupts = [], _systemCalls = [], _suspended = [];
    private readonly Dictionary<(ulong, ulong), Instruction> _instructions = [];
    private readonly Activation[] _current;

    /// <param name="recording">Path.</param>
    /// <param name="visit">Called at each moment, the machine standing there; null: nothing to do.</param>
    public CallOracle(string recording, Action<GuestView, Moment>? visit = null)
    {
        using RecordingFile file = RecordingFile.Open(recording);
        using var timeline = new Timeline(file, new TimelineOptions());
        Machine machine = timeline.Machine;
        _current = new Activation[machine.Vcpus.Count];
        for (int i = 0; i < _current.Length; i++) _current[i] = Root();
        while (true)
        {
            int cpu = machine.CurrentCpuIndex;
            var view = new GuestView(machine, machine.Vcpus[cpu]);
            ulong count = machine.InstructionCount, rip = view.Vcpu.State.Rip, code = view.CodeAddress;
            Slot before = SlotOf(view);
            int size = view.CodeSize / 8;
            Instruction instruction = Decode(view, before.AddressSpace, code);
            var moment = new Moment(timeline.Position, cpu, code, before.Stack, _current[cpu], IsDelivery: false);
            if (timeline.StepForward().Reason == TimelineStopReason.End) break;
            bool isRetired = machine.InstructionCount != count;
            if (!isRetired && view.Vcpu.State.Rip == rip) continue;
            if (!isRetired) moment = moment with { IsDelivery = true };
            Moments.Add(moment);
            Follow(view, moment, instruction, before, (ulong)size);
            visit?.Invoke(view, moment with { At = timeline.Position, Code = view.CodeAddress, Stack = view.Vcpu.State.Rsp, Frame = _current[cpu] });
        }
    }

    /// <summary>In order.</summary>
    public List<Moment> Moments { get; } = [];

    private static Activation Root() => new(null, 0, 0, true);

    private static Slot SlotOf(GuestView view)
    {
        ref VcpuState s = ref view.Vcpu.State;
        return new Slot(s.Cpl == 3 ? s.Cr3 : 0, s.Rsp);
    }

    private void Follow(GuestView view, Moment moment, in Instruction instruction, Slot before, ulong size)
    {
        int cpu = moment.CpuIndex;
        Slot after = SlotOf(view);
        ulong next = moment.Code + (ulong)instruction.Length;
        if (moment.IsDelivery || (instruction.FlowControl == FlowControl.Interrupt && instruction.Mnemonic == Mnemonic.Int))
        {
            Activation entered = new(moment.Frame, moment.IsDelivery ? moment.Code : next, before.Stack, IsCall: !moment.IsDelivery) { ParentAddressSpace = before.AddressSpace };
            size = (ulong)(view.CodeSize / 8);
            _interrupts[after] = _interrupts[after with { Stack = after.Stack + size }] = entered;
            _current[cpu] = entered;
        }
        else if (instruction.Mnemonic == Mnemonic.Syscall)
        {
            _current[cpu] = _systemCalls[before] = new Activation(moment.Frame, next, before.Stack, IsCall: true) { ParentAddressSpace = before.AddressSpace };
        }
        else if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall && Distance(before.Stack, after.Stack) > SwitchDistance)
        {
            // To another task by its TSS, which has a stack of its own.
            _suspended[before] = moment.Frame;
            _current[cpu] = Root();
        }
        else if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall)
        {
            _current[cpu] = _calls[after] = new Activation(moment.Frame, next, before.Stack, IsCall: true) { ParentAddressSpace = before.AddressSpace };
        }
        else if (CodeShape.IsReturn(instruction) && instruction.Mnemonic == Mnemonic.Ret)
        {
            _current[cpu] = Leave(_calls, before, view);
        }
        else if (CodeShape.IsInterruptReturn(instruction))
        {
            _current[cpu] = _suspended.Remove(after, out Activation? caller) ? caller : Leave(_interrupts, before, view);
        }
        else if (CodeShape.IsSystemReturn(instruction))
        {
            _current[cpu] = Leave(_systemCalls, after, view);
        }
        else if (Distance(before.Stack, after.Stack) > SwitchDistance)
        {
            // From stack to stack in the kernel. A program's stack, which is left at the entry of a system call, has no calls of the kernel's.
            if (FindAbove(after, size) is { } switched) _current[cpu] = switched;
            else if (FindAbove(before, size) is not null) _current[cpu] = Root();
        }
    }

    private static Activation Leave(Dictionary<Slot, Activation> entered, Slot slot, GuestView view) =>
        entered.Remove(slot, out Activation? left) && left.ReturnCode == view.CodeAddress && left.Parent is { } parent ? parent : Root();

    // The innermost call on another stack.
    private Activation? FindAbove(Slot slot, ulong size)
    {
        for (ulong offset = 0; offset < SearchDistance; offset += size)
            if (_calls.TryGetValue(slot with { Stack = slot.Stack + offset }, out Activation? call)) return call;
        return null;
    }

    private static ulong Distance(ulong a, ulong b) => a > b ? a - b : b - a;

    private Instruction Decode(GuestView view, ulong addressSpace, ulong code)
    {
        if (_instructions.TryGetValue((addressSpace, code), out Instruction known)) return known;
        return _instructions[(addressSpace, code)] = new Disassembler(view).Decode(code);
    }
}
