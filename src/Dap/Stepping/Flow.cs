using System.Collections.Generic;
using Dap.Sessions;
using Iced.Intel;
using Introspection.Code;
using Introspection.Unwinding;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>Goes forward by single transitions, and says what each is to one vCPU: other vCPUs' turns and the machine's own affairs are nothing to it.</summary>
internal sealed class Flow
{
    private readonly Session _session;
    private readonly int _cpuIndex;
    private readonly HashSet<ulong> _breakpoints = [];
    private readonly Dictionary<ulong, (FlowKind Kind, int SizeBytes)> _shapes = [];
    private readonly Disassembler _disassembler;
    private readonly GuestView _view;

    public Flow(Session session, int cpuIndex)
    {
        _session = session;
        _cpuIndex = cpuIndex;
        _view = session.ViewOf(cpuIndex);
        _disassembler = new Disassembler(_view);
        foreach (BreakpointEntry entry in session.Breakpoints.All)
        {
            foreach (Replay.Queries.StopCondition condition in entry.Conditions)
            {
                if (condition.Kind == Replay.Queries.StopConditionKind.Breakpoint) _breakpoints.Add((ulong)condition.Number);
                else NeedsCheck = true;
            }
        }
    }

    /// <summary>The user has breakpoints that are not instructions' addresses: whether one is hit on the way shows only when conditions are asked.</summary>
    public bool NeedsCheck { get; }

    /// <summary>The last position at which an instruction with a breakpoint came next, on any vCPU.</summary>
    public Position? LastBreakpoint { get; private set; }

    public GuestView View => _view;

    public ulong Code => _view.CodeAddress;

    public FramePlace Frame => FramePlace.Of(_view.Vcpu.State);

    /// <summary>A breakpoint of the user's is on the vCPU's next instruction.</summary>
    public bool StandsOnBreakpoint => _breakpoints.Contains(Code);

    /// <summary>One transition. Null in <paramref name="step"/>: it was nothing to the vCPU.</summary>
    /// <returns>False at the end: there was none.</returns>
    public bool TryAdvance(out FlowStep? step)
    {
        Machine machine = _session.Machine;
        ref VcpuState s = ref _view.Vcpu.State;
        Position at = machine.Position;
        ulong rip = s.Rip, code = _view.CodeAddress, count = machine.InstructionCount;
        FramePlace frame = FramePlace.Of(s);
        bool isTurn = machine.CurrentCpuIndex == _cpuIndex;
        if (_breakpoints.Count > 0 && _breakpoints.Contains(isTurn ? code : _session.ViewOf(machine.CurrentCpuIndex).CodeAddress)) LastBreakpoint = at;
        // The instruction is read before it is done: it may change itself, or the address space.
        (FlowKind Kind, int SizeBytes) shape = isTurn ? ShapeOf(code) : default;
        step = null;
        if (!TryStep()) return false;
        bool isRetired = isTurn && machine.InstructionCount != count;
        if (!isRetired && s.Rip == rip) return true;
        if (!isTurn) shape = (FlowKind.Delivery, 1);
        FlowKind kind = isRetired ? shape.Kind : FlowKind.Delivery;
        // Into a system call's emulation, a failed call, INTO without an overflow: it has just gone on.
        if (kind == FlowKind.Call && _view.CodeAddress == code + (ulong)shape.SizeBytes && s.Rsp == frame.Stack) kind = FlowKind.Other;
        step = new FlowStep(at, machine.Position, code, frame, kind, shape.SizeBytes);
        return true;
    }

    // Of a living guest there is no end: it has been held up, which is nothing to the vCPU.
    private bool TryStep() => _session.Diversion is { } diversion ? diversion.Machine.Step() != RunStop.Ended
        : _session.Timeline.StepForward(1, null, _session.Activity.Token).Reason != TimelineStopReason.End || _session.Timeline.IsLive;

    private (FlowKind Kind, int SizeBytes) ShapeOf(ulong code)
    {
        if (_shapes.TryGetValue(code, out (FlowKind, int) known)) return known;
        Instruction instruction = _disassembler.Decode(code);
        FlowKind kind = CodeShape.IsCall(instruction) ? FlowKind.Call
            : CodeShape.IsReturn(instruction) ? FlowKind.Return
            : CodeShape.IsInterruptReturn(instruction) || CodeShape.IsSystemReturn(instruction) ? FlowKind.InterruptReturn
            : instruction.FlowControl is FlowControl.UnconditionalBranch or FlowControl.IndirectBranch ? FlowKind.Jump : FlowKind.Other;
        return _shapes[code] = (kind, System.Math.Max(1, instruction.Length));
    }
}
