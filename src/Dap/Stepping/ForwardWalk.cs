using System;
using System.Collections.Generic;
using Dap.Sessions;
using Introspection.Programs;
using Replay.Queries;
using Replay.Timelines;
using Symbols.Dwarf.Functions;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>How far a step by lines goes.</summary>
internal enum LineStep
{
    /// <summary>To the next line of this frame, over calls; from the last one to the caller.</summary>
    Over,
    /// <summary>To the next line of any function with lines.</summary>
    Into,
    /// <summary>To the caller, which may be what this was inlined into.</summary>
    Out,
}

/// <summary>
/// One step forward by source lines. It ends where a statement of another line begins in the same frame; right behind the call when the frame is left; and at
/// breakpoints of the user's on the way. Interrupts, exceptions and other tasks are gone over, and so is what other vCPUs do; where the task goes on on another vCPU,
/// the step goes on there.
/// </summary>
internal sealed class ForwardWalk
{
    private const int StepsPerReport = 1 << 12;

    private readonly Session _session;
    private readonly Runner _runner;
    private readonly Flow _flow;
    private readonly LineStep _kind;
    private readonly StepUnit _unit;
    private readonly CodePlace _start;
    private IReadOnlyList<InlinedCall> _frame;
    private bool _hasLeft, _isEntering;
    private Position _stretchStart;
    private int _stepCount;

    public ForwardWalk(Session session, Runner runner, int cpuIndex, LineStep kind, StepUnit unit)
    {
        _session = session;
        _runner = runner;
        _kind = kind;
        _unit = unit;
        _flow = new Flow(session, cpuIndex);
        _start = session.SymbolsOf(_flow.CpuIndex).PlaceOf(_flow.Code);
        _frame = _start.Inlined;
        _stretchStart = session.Machine.Position;
    }

    public StopReport Run()
    {
        while (true)
        {
            if (!_flow.TryAdvance(out FlowStep? done)) return EndStretch() ?? _runner.AtEnd(_flow.CpuIndex);
            if (_session.Activity.Token.IsCancellationRequested) return EndStretch() ?? new StopReport("pause", $"Paused at {_session.Machine.Position}", _flow.CpuIndex);
            if (++_stepCount % StepsPerReport == 0)
                _session.Activity.Report(new TimelineProgress(_session.Machine.InstructionCount, _session.Recording.End.InstructionCount));
            if (_session.IsDiverted && _flow.StandsOnBreakpoint && done is not null && _runner.HitHere(_flow.CpuIndex, _flow.Code) is { } hit) return hit;
            if (done is { } step && step.CpuIndex == _flow.CpuIndex && After(step) is { } report) return report;
        }
    }

    // Null: it goes on.
    private StopReport? After(in FlowStep step)
    {
        switch (step.Kind)
        {
            case FlowKind.Delivery:
                return Over(step) ?? AtPlace();
            case FlowKind.Call:
                if (!_isEntering && MayEnter()) return Enter();
                return Over(step) ?? AtPlace();
            case FlowKind.StackSwitch:
                // Until the task goes on.
                return EndStretch() ?? RunTo([step.Frame.Breakpoint(step.Next, _flow.WaitsOn)]) ?? AtPlace();
            case FlowKind.Return or FlowKind.InterruptReturn:
                return EndStretch() ?? Stepped();
            case FlowKind.Jump when IsTailCall():
                return MayEnter() ? Enter() : ReturnFromTail();
            default:
                return AtPlace();
        }
    }

    private StopReport? AtPlace()
    {
        ulong code = _flow.Code;
        CodePlace place = _session.SymbolsOf(_flow.CpuIndex).PlaceOf(code);
        if (!place.HasLine) return null;
        if (_isEntering) return place.BeginsStatement(code) ? EndStretch() ?? Stepped() : null;
        InlineRelation relation = InlineLevel.Compare(_frame, place.Inlined);
        if (_kind == LineStep.Out && relation is InlineRelation.Left) return EndStretch() ?? Stepped();
        if (!place.BeginsStatement(code)) return null;
        if (_kind == LineStep.Into && relation != InlineRelation.Same) return EndStretch() ?? Stepped();
        switch (relation)
        {
            case InlineRelation.Deeper:
                return null;
            case InlineRelation.LeftForDeeper:
                _frame = InlineLevel.Common(_frame, place.Inlined);
                _hasLeft = true;
                return null;
            case InlineRelation.Same when !_hasLeft && (_kind == LineStep.Out || _unit.AreSame(place, _start)):
                return null;
            default:
                return EndStretch() ?? Stepped();
        }
    }

    // Runs over what was entered by a transition. Null: it has come back.
    private StopReport? Over(in FlowStep step)
    {
        if (EndStretch() is { } stopped) return stopped;
        return RunTo(step.Kind == FlowKind.Call ? [step.Frame.Breakpoint(step.Next, _flow.WaitsOn, FlowStep.MaximumPoppedBytes)]
            : [step.Frame.Breakpoint(step.Code, _flow.WaitsOn), step.Frame.Breakpoint(step.Next, _flow.WaitsOn)]);
    }

    private StopReport? ReturnFromTail()
    {
        FramePlace frame = _flow.Frame;
        int size = Math.Max(4, _flow.View.CodeSize / 8);
        if (_flow.View.ReadNumber(_flow.View.StackAddress, size) is not { } address) return AtPlace();
        frame = frame with { Stack = frame.Stack + (ulong)size };
        return EndStretch() ?? RunTo([frame.Breakpoint(_flow.View.CodeAddressOf(address), _flow.WaitsOn, FlowStep.MaximumPoppedBytes)]) ?? Stepped();
    }

    private StopReport? RunTo(StopCondition[] conditions)
    {
        StopReport report = _runner.Run(true, _flow.CpuIndex, conditions);
        if (report.Reason == "step") _flow.CpuIndex = report.CpuIndex;
        _stretchStart = _session.Machine.Position;
        return report.Reason == "step" ? null : report;
    }

    // A function with lines begins here: a step into goes on to its first statement, which the prologue is not. Others are gone over.
    private bool MayEnter() => _kind == LineStep.Into && _session.SymbolsOf(_flow.CpuIndex).PlaceOf(_flow.Code).HasLine;

    private StopReport? Enter()
    {
        _isEntering = true;
        return AtPlace();
    }

    // A jump from a function to another one's beginning. Assembler code has no functions, and jumps as it likes.
    private bool IsTailCall()
    {
        if (_start.Function is not { } function) return false;
        ulong code = _flow.Code;
        if (function.Contains(code)) return false;
        CodePlace place = _session.SymbolsOf(_flow.CpuIndex).PlaceOf(code);
        return place.Function is null || place.EntryAddress == code;
    }

    /// <summary>
    /// Of the stretch that was gone over by single transitions: whether a breakpoint of the user's was hit in it. Null: none was, and the machine stands where it stood.
    /// What is hit by the transition that comes next counts as well: a step that ends on a breakpoint has hit it.
    /// </summary>
    private StopReport? EndStretch()
    {
        Position end = _session.Machine.Position, from = _stretchStart;
        if (_session.IsDiverted || end == from) return null;
        _runner.PrintSince(from);
        _stretchStart = end;
        bool isHit = _flow.LastBreakpoint > from || _flow.StandsOnBreakpoint;
        if (!isHit && !_flow.NeedsCheck) return null;
        Timeline timeline = _session.Timeline;
        Position limit = end < timeline.End ? timeline.StepForward().Position : end;
        timeline.Seek(from);
        StopReport report = _runner.Run(true, _flow.CpuIndex, limit: limit);
        if (report.Reason != StopReport.AtLimit) return report;
        timeline.Seek(end);
        return null;
    }

    private StopReport Stepped() => new("step", $"Stepped to {_session.Machine.Position}", _flow.CpuIndex);
}
