using System;
using System.Collections.Generic;
using Dap.Sessions;
using Introspection.Programs;
using Replay.Queries;
using Replay.Timelines;
using Symbols.Dwarf.Functions;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>
/// One step back by source lines: the inverse of <see cref="ForwardWalk"/>. It ends at the beginning of the line that was left last in the same frame, which is this
/// line where the machine stands in the middle of it; at the beginning of a function, at the line of the call. Calls that have returned, interrupts, exceptions and
/// what other tasks and vCPUs do are gone over; where the task came from another vCPU, the step goes on there. A step out of an inlined copy ends at the line from which
/// it was entered. Breakpoints of the user's that were hit on the way end it there.
/// </summary>
internal sealed class BackwardWalk
{
    /// <summary>So many transitions of a call are read until it is looked for by a breakpoint.</summary>
    private const long LongestReadCall = 1 << 15;

    private readonly Session _session;
    private readonly Runner _runner;
    private readonly Flow _flow;
    private readonly FlowHistory _history;
    private readonly LineStep _kind;
    private readonly StepUnit _unit;
    private readonly Position _origin;
    // Where the walk is: the vCPU's code and frame after the transition that comes next.
    private ulong _code;
    private FramePlace _place;
    private Position _checkedFrom;
    private IReadOnlyList<InlinedCall> _frame;
    private CodePlace? _line;
    private int _lineCpu;
    private Position _lineStart;
    private bool _isFirst = true, _hasLeft;

    public BackwardWalk(Session session, Runner runner, int cpuIndex, LineStep kind, StepUnit unit)
    {
        _session = session;
        _runner = runner;
        _kind = kind;
        _unit = unit;
        _flow = new Flow(session, cpuIndex);
        _origin = _checkedFrom = session.Timeline.Position;
        _history = new FlowHistory(session, _flow, _origin);
        (_code, _place) = (_flow.Code, _flow.Frame);
        _frame = session.SymbolsOf(cpuIndex).PlaceOf(_code).Inlined;
    }

    public StopReport Run()
    {
        try
        {
            while (_history.TryPrevious(out FlowStep step))
                if (step.CpuIndex == _flow.CpuIndex && Before(step) is { } report) return report;
            return _line is null ? Finish(_session.Timeline.Start, _flow.CpuIndex) is { Reason: not "step" } hit ? hit : _runner.AtStart(_flow.CpuIndex) : FinishAtLine();
        }
        catch (OperationCanceledException)
        {
            _session.Timeline.Seek(_origin);
            return new StopReport("pause", $"Paused the step back; still at {_origin}", _flow.CpuIndex);
        }
    }

    // Null: it goes on.
    private StopReport? Before(FlowStep step)
    {
        bool isFirst = _isFirst;
        _isFirst = false;
        switch (step.Kind)
        {
            case FlowKind.Return or FlowKind.InterruptReturn:
                bool mayEnter = _kind == LineStep.Into && _session.SymbolsOf(step.CpuIndex).PlaceOf(step.Code).HasLine, enters = mayEnter && step.Kind == FlowKind.Return;
                if (!enters)
                {
                    if (OverCall(step, out FlowStep call) is { } stopped) return stopped;
                    enters = mayEnter && call.Kind == FlowKind.Call;
                    if (enters) _history.Restart(step.At);
                    else step = call;
                }
                if (!enters) break;
                // A step into stops behind a call that has returned, before it goes on in the line.
                if (!isFirst) return _line is not null && !_unit.AreSame(_line, _session.SymbolsOf(_flow.CpuIndex).PlaceOf(_code)) ? FinishAtLine() : Finish(step.After, step.CpuIndex);
                Enter(step);
                break;
            case FlowKind.StackSwitch:
                if (ToSwitch(ref step) is { } early) return early;
                break;
            case FlowKind.Call or FlowKind.Delivery:
                // The frame begins behind it.
                if (_line is not null) return FinishAtLine();
                _hasLeft = true;
                _frame = _session.SymbolsOf(step.CpuIndex).PlaceOf(step.Code).Inlined;
                if (!_session.SymbolsOf(step.CpuIndex).PlaceOf(step.Code).HasLine) return Finish(step.At, step.CpuIndex);
                break;
        }
        (_code, _place) = (step.Code, step.Frame);
        return AtPlace(step);
    }

    private StopReport? AtPlace(in FlowStep step)
    {
        CodePlace place = _session.SymbolsOf(step.CpuIndex).PlaceOf(step.Code);
        if (!place.BeginsStatement(step.Code)) return null;
        InlineRelation relation = InlineLevel.Compare(_frame, place.Inlined);
        if (_kind == LineStep.Into && relation != InlineRelation.Same)
        {
            if (_line is not null) return FinishAtLine();
            _frame = place.Inlined;
            relation = InlineRelation.Same;
        }
        if (_kind == LineStep.Out && !_hasLeft && relation is (InlineRelation.Same or InlineRelation.Deeper)) return null;
        _hasLeft = true;
        switch (relation)
        {
            case InlineRelation.Deeper:
                return null;
            case InlineRelation.Left or InlineRelation.LeftForDeeper:
                if (_line is not null) return FinishAtLine();
                _frame = InlineLevel.Common(_frame, place.Inlined);
                if (relation == InlineRelation.LeftForDeeper) return null;
                break;
        }
        if (_line is not null && !_unit.AreSame(place, _line)) return FinishAtLine();
        _line = place;
        (_lineStart, _lineCpu) = (step.At, step.CpuIndex);
        return null;
    }

    // What was called has lines: its last one is what comes before.
    private void Enter(in FlowStep step)
    {
        _frame = _session.SymbolsOf(step.CpuIndex).PlaceOf(step.Code).Inlined;
        _line = null;
    }

    /// <summary>To the call, interrupt or exception that was come back from by a return. Not null: a stop on the way.</summary>
    /// <param name="returning">The return.</param>
    /// <param name="call">What entered it; the return itself where nothing did, as it was used as a jump.</param>
    private StopReport? OverCall(FlowStep returning, out FlowStep call)
    {
        call = returning;
        ulong code = _code;
        FramePlace place = _place with { Stack = _place.Stack - returning.PoppedBytes };
        long begin = _history.ReadCount;
        while (_history.ReadCount - begin < LongestReadCall)
        {
            if (!_history.TryPrevious(out FlowStep step)) break;
            if (!step.ComesBackAt(code, place) || (_flow.WaitsOn is { } cpu && cpu != step.CpuIndex)) continue;
            call = step;
            _flow.CpuIndex = step.CpuIndex;
            return null;
        }
        return JumpToCall(returning, code, place, ref call);
    }

    // Long calls: back to the last execution of the call instruction with that stack, at full speed.
    private StopReport? JumpToCall(FlowStep returning, ulong code, FramePlace place, ref FlowStep call)
    {
        if (Check(returning.At) is { } hit) return hit;
        Timeline timeline = _session.Timeline;
        timeline.Seek(returning.At);
        List<StopCondition> conditions = CallFinder.Conditions(_flow.View, _flow.WaitsOn, code, place, returning.Kind);
        StopReport report = conditions.Count == 0 ? _runner.AtStart(_flow.CpuIndex)
            : _runner.Run(false, _flow.CpuIndex, conditions, cpu => CallFinder.IsCall(_session.ViewOf(cpu), code, place));
        if (report.Reason == "start")
        {
            // Nothing called it: stacks were switched, or the call lies before the recording. It is a jump then.
            _checkedFrom = returning.At;
            _history.Restart(returning.At);
            call = returning;
            return null;
        }
        if (report.Reason != "step") return report;
        _flow.CpuIndex = report.CpuIndex;
        _checkedFrom = timeline.Position;
        FlowKind kind = _flow.Code == code ? FlowKind.Delivery : FlowKind.Call;
        call = new FlowStep(_flow.CpuIndex, timeline.Position, timeline.Position, _flow.Code, _flow.Frame, kind, 1, 0);
        _history.Restart(timeline.Position);
        return null;
    }

    // A task goes on here: to where it was left, by the same instruction on its own stack. Not null: a stop on the way.
    private StopReport? ToSwitch(ref FlowStep step)
    {
        if (Check(step.At) is { } hit) return hit;
        FlowStep switched = step;
        _session.Timeline.Seek(step.At);
        StopReport report = _runner.Run(false, _flow.CpuIndex, [_place.Breakpoint(step.Code, _flow.WaitsOn)]);
        if (report.Reason is not ("step" or "start")) return report;
        if (report.Reason == "step")
        {
            _flow.CpuIndex = report.CpuIndex;
            Position at = _session.Timeline.Position;
            step = switched with { CpuIndex = report.CpuIndex, At = at, After = at, Frame = _flow.Frame };
        }
        // Else it was never left: a new task.
        _checkedFrom = step.At;
        _history.Restart(step.At);
        return null;
    }

    // What comes before the line may have been found on another vCPU.
    private StopReport FinishAtLine() => Finish(_lineStart, _lineCpu);

    private StopReport Finish(Position target, int cpuIndex)
    {
        if (Check(target) is { } hit) return hit;
        _session.Timeline.Seek(target);
        return new StopReport("step", $"Stepped to {target}", cpuIndex);
    }

    // Whether a breakpoint of the user's was hit between a position and what was looked at so far.
    private StopReport? Check(Position from)
    {
        bool isHit = _flow.LastBreakpoint is not null;
        if ((!isHit && !_flow.NeedsCheck) || from >= _checkedFrom) return null;
        _session.Timeline.Seek(_checkedFrom);
        StopReport report = _runner.Run(false, _flow.CpuIndex, limit: from);
        return report.Reason == StopReport.AtLimit ? null : report;
    }
}
