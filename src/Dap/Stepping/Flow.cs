using System.Collections.Generic;
using Dap.Sessions;
using Iced.Intel;
using Introspection.Code;
using Introspection.Unwinding;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Paging;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>
/// Goes forward by single transitions, and says what each is to the vCPU that it concerns. One vCPU is followed, which may become another one: that on which a task
/// goes on.
/// </summary>
internal sealed class Flow
{
    // A stack pointer that is loaded with a place so near is on the same stack.
    private const ulong NearStack = 256;

    private readonly Session _session;
    private readonly HashSet<ulong> _breakpoints = [];
    private readonly Dictionary<(ulong AddressSpace, ulong Code), Shape> _shapes = [];

    public Flow(Session session, int cpuIndex)
    {
        _session = session;
        CpuIndex = cpuIndex;
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

    /// <summary>The vCPU that is followed.</summary>
    public int CpuIndex { get; set; }

    public GuestView View => _session.ViewOf(CpuIndex);

    public ulong Code => View.CodeAddress;

    public FramePlace Frame => FramePlace.Of(View.Vcpu.State);

    /// <summary>
    /// Where something that was left is waited for: on any vCPU, as tasks move. Without paging there are no tasks, and vCPUs that are being started may share a stack.
    /// </summary>
    public int? WaitsOn => _session.StepsFollowVcpu || View.Paging.Mode == PagingMode.None ? CpuIndex : null;

    /// <summary>A breakpoint of the user's is on the vCPU's next instruction.</summary>
    public bool StandsOnBreakpoint => _breakpoints.Contains(Code);

    /// <summary>One transition, of whatever vCPU. Null in <paramref name="step"/>: it was nothing to any.</summary>
    /// <returns>False at the end: there was none.</returns>
    public bool TryAdvance(out FlowStep? step)
    {
        Machine machine = _session.Machine;
        int turn = machine.CurrentCpuIndex;
        GuestView view = _session.ViewOf(turn);
        ref VcpuState s = ref view.Vcpu.State;
        ref VcpuState followed = ref machine.Vcpus[CpuIndex].State;
        Position at = machine.Position;
        ulong code = view.CodeAddress, rip = s.Rip, count = machine.InstructionCount, followedRip = followed.Rip;
        FramePlace frame = FramePlace.Of(s), followedFrame = FramePlace.Of(followed);
        if (_breakpoints.Count > 0 && _breakpoints.Contains(code)) LastBreakpoint = at;
        // The instruction is read before it is done: it may change itself, or the address space.
        Shape shape = ShapeOf(view, frame.AddressSpace, code);
        step = null;
        if (!TryStep()) return false;
        bool isRetired = machine.InstructionCount != count;
        if (isRetired || s.Rip != rip)
        {
            FlowKind kind = isRetired ? shape.Kind : FlowKind.Delivery;
            // Into a system call's emulation, a failed call, INTO without an overflow: it has just gone on.
            if (kind == FlowKind.Call && view.CodeAddress == code + (ulong)shape.SizeBytes && s.Rsp == frame.Stack) kind = FlowKind.Other;
            if (kind == FlowKind.StackSwitch && s.Rsp - frame.Stack + NearStack <= 2 * NearStack) kind = FlowKind.Other;
            step = new FlowStep(turn, at, machine.Position, code, frame, kind, shape.SizeBytes, shape.PoppedBytes);
        }
        else if (turn != CpuIndex && followed.Rip != followedRip)
        {
            // Another vCPU has sent it elsewhere: INIT, SIPI.
            step = new FlowStep(CpuIndex, at, machine.Position, _session.ViewOf(CpuIndex).CodeAddressOf(followedRip), followedFrame, FlowKind.Delivery, 1, 0);
        }
        return true;
    }

    // Of a living guest there is no end: it has been held up, which is nothing to the vCPU.
    private bool TryStep() => _session.Diversion is { } diversion ? diversion.Machine.Step() != RunStop.Ended
        : _session.Timeline.StepForward(1, null, _session.Activity.Token).Reason != TimelineStopReason.End || _session.Timeline.IsLive;

    private readonly record struct Shape(FlowKind Kind, int SizeBytes, ushort PoppedBytes);

    private Shape ShapeOf(GuestView view, ulong addressSpace, ulong code)
    {
        if (_shapes.TryGetValue((addressSpace, code), out Shape known)) return known;
        Instruction instruction = new Disassembler(view).Decode(code);
        FlowKind kind = CodeShape.IsCall(instruction) ? FlowKind.Call
            : CodeShape.IsReturn(instruction) ? FlowKind.Return
            : CodeShape.IsInterruptReturn(instruction) || CodeShape.IsSystemReturn(instruction) ? FlowKind.InterruptReturn
            : instruction.FlowControl is FlowControl.UnconditionalBranch or FlowControl.IndirectBranch ? FlowKind.Jump
            : addressSpace == 0 && CodeShape.IsStackSwitch(instruction) ? FlowKind.StackSwitch : FlowKind.Other;
        ushort popped = kind == FlowKind.Return && instruction.OpCount > 0 ? (ushort)instruction.GetImmediate(0) : (ushort)0;
        return _shapes[(addressSpace, code)] = new Shape(kind, System.Math.Max(1, instruction.Length), popped);
    }
}
