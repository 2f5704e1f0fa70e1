using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Stepping;
using Iced.Intel;
using Introspection.Code;
using Introspection.Unwinding;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>
/// Steps of one vCPU. A step of the whole machine is one transition; a step of a vCPU goes over transitions until one concerns it: it retires an instruction, or is
/// sent elsewhere by an interrupt. What a step goes over may come back on another vCPU, as tasks move: then the stop is there. Steps back are the inverse: they stand
/// just before such a transition.
/// </summary>
internal sealed class Stepper(Session session, Runner runner)
{
    private const int TransitionsPerCheck = 1 << 14;

    /// <summary>Forward by one instruction of a vCPU, into calls and interrupt handlers.</summary>
    public StopReport Into(int cpuIndex)
    {
        session.Activity.Title("Stepping");
        return TryForward(cpuIndex) switch
        {
            Forward.Done => Stepped(cpuIndex),
            Forward.Cancelled => Paused(cpuIndex),
            _ => runner.AtEnd(cpuIndex),
        };
    }

    /// <summary>Forward over a call, an interrupt, a repeated string instruction or whatever else comes back behind this instruction.</summary>
    public StopReport Over(int cpuIndex)
    {
        session.Activity.Title("Stepping");
        GuestView view = session.ViewOf(cpuIndex);
        ulong code = view.CodeAddress;
        FramePlace frame = FramePlace.Of(view.Vcpu.State);
        Instruction instruction = new Disassembler(view).Decode(code);
        ulong next = code + (ulong)Math.Max(1, instruction.Length);
        if (ComesBack(instruction)) return runner.Run(true, cpuIndex, [frame.Breakpoint(next, WaitsOn(cpuIndex), FlowStep.MaximumPoppedBytes)]);
        while (true)
        {
            ulong rip = session.Machine.Vcpus[cpuIndex].State.Rip;
            ulong count = session.Machine.InstructionCount;
            switch (TryForward(cpuIndex))
            {
                case Forward.End:
                    return runner.AtEnd(cpuIndex);
                case Forward.Cancelled:
                    return Paused(cpuIndex);
            }
            bool wasInterrupted = session.Machine.Position.EventOrdinal > 0 && session.Machine.Vcpus[cpuIndex].State.Rip != rip;
            if (!wasInterrupted || session.Machine.Outcome.Kind != OutcomeKind.None) return Stepped(cpuIndex);
            // Into a handler without an instruction done: back to where it was interrupted, and again.
            StopReport report = runner.Run(true, cpuIndex, [frame.Breakpoint(code, WaitsOn(cpuIndex))]);
            if (report.Reason != "step" || session.Machine.InstructionCount == count) return report;
            cpuIndex = report.CpuIndex;
        }
    }

    /// <summary>Forward to the caller of the innermost frame.</summary>
    public StopReport Out(int cpuIndex)
    {
        (ulong code, FramePlace place, _) = CallerOf(cpuIndex);
        return runner.Run(true, cpuIndex, [place.Breakpoint(code, WaitsOn(cpuIndex), FlowStep.MaximumPoppedBytes)]);
    }

    /// <summary>Back by one instruction of a vCPU, into what was called.</summary>
    public StopReport BackInto(int cpuIndex)
    {
        session.Activity.Title("Stepping back");
        try
        {
            return PreviousTransition.TryGo(session, cpuIndex) ? Stepped(cpuIndex) : runner.AtStart(cpuIndex);
        }
        catch (OperationCanceledException)
        {
            return Paused(cpuIndex);
        }
    }

    /// <summary>Back by one instruction; over a call, interrupt or repeated string instruction when that is what came before: the inverse of <see cref="Over"/>.</summary>
    public StopReport BackOver(int cpuIndex)
    {
        GuestView view = session.ViewOf(cpuIndex);
        ulong behind = view.CodeAddress;
        FramePlace after = FramePlace.Of(view.Vcpu.State);
        StopReport report = BackInto(cpuIndex);
        if (report.Reason != "step") return report;
        Instruction instruction = new Disassembler(view).Decode(view.CodeAddress);
        bool isReturn = CodeShape.IsReturn(instruction);
        if (isReturn || CodeShape.IsInterruptReturn(instruction) || CodeShape.IsSystemReturn(instruction))
        {
            Position inside = session.Timeline.Position;
            ulong popped = isReturn && instruction.OpCount > 0 ? instruction.GetImmediate(0) : 0;
            report = BackToCall(cpuIndex, behind, after with { Stack = after.Stack - popped }, isReturn ? FlowKind.Return : FlowKind.InterruptReturn);
            // No call made this frame: the code switched stacks, or the call lies before the recording.
            if (report.Reason == "start") session.Timeline.Seek(inside);
            return report.Reason == "start" ? Stepped(cpuIndex) : report;
        }
        bool isRepeated = instruction.HasRepPrefix || instruction.HasRepnePrefix;
        if (!isRepeated) return report;
        // The first iteration comes right after the last instruction that was another one.
        try
        {
            if (PreviousTransition.TryGo(session, cpuIndex, session.Machine.Vcpus[cpuIndex].State.Rip)) TryForward(cpuIndex);
        }
        catch (OperationCanceledException)
        {
            return Paused(cpuIndex);
        }
        return Stepped(cpuIndex);
    }

    /// <summary>Back to the call that made the innermost frame.</summary>
    public StopReport BackOut(int cpuIndex)
    {
        (ulong code, FramePlace place, FlowKind kind) = CallerOf(cpuIndex);
        return BackToCall(cpuIndex, code, place, kind);
    }

    // The last call, interrupt or exception that comes back at that place.
    private StopReport BackToCall(int cpuIndex, ulong code, FramePlace place, FlowKind kind)
    {
        List<StopCondition> conditions = CallFinder.Conditions(session.ViewOf(cpuIndex), WaitsOn(cpuIndex), code, place, kind);
        return conditions.Count == 0 ? runner.AtStart(cpuIndex)
            : runner.Run(false, cpuIndex, conditions, cpu => CallFinder.IsCall(session.ViewOf(cpu), code, place));
    }

    // Where the innermost frame will go back to, and how.
    private (ulong Code, FramePlace Place, FlowKind Kind) CallerOf(int cpuIndex)
    {
        GuestView view = session.ViewOf(cpuIndex);
        List<CallFrame> frames = new StackUnwinder(view, session.SymbolsOf(view.Vcpu.Index)).Walk(2);
        CallFrame frame = frames[0];
        if (frame.ReturnAddress == 0) throw new RequestException("the caller is not known: neither unwind information nor a frame pointer shows it here");
        // Frames are at linear addresses; RSP counts from the stack segment's base.
        ulong stack = view.Vcpu.State.Rsp + (frame.ReturnStack - frame.Stack);
        FlowKind kind = frame.ReturnSlot == 0 ? FlowKind.InterruptReturn : FlowKind.Return;
        bool isBelowKernel = frames[^1].IsUser && view.Vcpu.State.Cpl < 3;
        FramePlace place = isBelowKernel ? FramePlace.BelowKernel(view, frames[^1].Code) : FramePlace.Of(view.Vcpu.State);
        return (frame.ReturnAddress, place with { Stack = stack }, kind);
    }

    private int? WaitsOn(int cpuIndex) => new Flow(session, cpuIndex).WaitsOn;

    private static bool ComesBack(in Instruction i) => i.FlowControl is FlowControl.Call or FlowControl.IndirectCall or FlowControl.Interrupt
        || i.HasRepPrefix || i.HasRepnePrefix || i.Mnemonic == Mnemonic.Hlt;

    private StopReport Stepped(int cpuIndex) => new("step", $"Stepped to {session.Machine.Position}", cpuIndex);

    private StopReport Paused(int cpuIndex) => new("pause", $"Paused at {session.Machine.Position}", cpuIndex);

    private enum Forward { Done, End, Cancelled }

    private Forward TryForward(int cpuIndex)
    {
        Machine machine = session.Machine;
        var probe = new VcpuProbe(cpuIndex, null);
        for (int done = 0; ; done++)
        {
            if (StepOnce(probe) is not { } concerns) return Forward.End;
            if (concerns) return Forward.Done;
            if (session.Activity.Token.IsCancellationRequested) return Forward.Cancelled;
            if (done % TransitionsPerCheck != TransitionsPerCheck - 1) continue;
            session.Activity.Report(new TimelineProgress(machine.InstructionCount, session.Recording.End.InstructionCount));
        }
    }

    /// <summary>One transition; true when it concerned the probe's vCPU; null at the end.</summary>
    private bool? StepOnce(VcpuProbe probe)
    {
        Machine machine = session.Machine;
        probe.Before(machine);
        if (session.Diversion is { } diversion)
        {
            if (diversion.Machine.Step() == RunStop.Ended) return null;
        }
        else if (session.Timeline.StepForward(1, null, session.Activity.Token).Reason == TimelineStopReason.End)
        {
            return session.Timeline.IsLive ? false : null;
        }
        return probe.After(machine);
    }
}
