using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Consoles;
using Introspection.Paging;
using Replay.Log;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>The request of our own to go to the next or the last event of a kind.</summary>
internal sealed class EventRequests
{
    private const ulong RootMask = 0x000F_FFFF_FFFF_F000;

    private readonly Session _session;

    public EventRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmEventArguments>("ttvm/gotoEvent", Go);
    }

    private Answer Go(TtvmEventArguments arguments)
    {
        _session.RequireRecording("searching the recording");
        int? cpu = arguments.ThreadId is { } thread ? _session.CpuOfThread(thread) : null;
        bool isForward = arguments.Reverse != true;
        Timeline timeline = _session.Timeline;
        Position origin = timeline.Position;
        _session.Activity.Title($"Searching for the {(isForward ? "next" : "last")} {arguments.Kind}");
        (string Description, int CpuIndex)? found;
        try
        {
            found = arguments.Kind switch
            {
                "exception" => Find([StopCondition.Exception() with { CpuIndex = cpu }], isForward, null),
                "interrupt" => Find([StopCondition.Interrupt() with { CpuIndex = cpu }], isForward, null),
                "systemCall" => Find([StopCondition.SoftwareInterrupt() with { CpuIndex = cpu }], isForward, static e => e.Number is < 0 or 0x80),
                "contextSwitch" => Find([StopCondition.ControlRegister(3) with { CpuIndex = cpu }], isForward, IsContextSwitch),
                "schedule" => Find([StopCondition.Schedule(cpu)], isForward, null),
                "input" => FindInput(isForward),
                "consoleLine" => FindLine(isForward),
                _ => throw new RequestException($"'{arguments.Kind}' is not a kind of event: exception, interrupt, systemCall, contextSwitch, schedule, input or consoleLine"),
            };
        }
        catch (OperationCanceledException)
        {
            timeline.Seek(origin);
            throw;
        }
        if (found is not { } one)
        {
            timeline.Seek(origin);
            string nothing = $"there is no {arguments.Kind} {(isForward ? "after" : "before")} {origin}";
            return Answer.Of(new TtvmFound { Found = false, Position = origin.ToString(), Description = nothing });
        }
        string description = $"at {timeline.Position}: {one.Description}";
        var report = new StopReport("goto", $"{(isForward ? "Next" : "Last")} {arguments.Kind}, {description}", one.CpuIndex);
        return Answer.Of(new TtvmFound { Found = true, Position = timeline.Position.ToString(), Description = description }, () => _session.Moved(report));
    }

    private (string, int)? Find(StopCondition[] conditions, bool isForward, Func<MachineEvent, bool>? accept)
    {
        Timeline timeline = _session.Timeline;
        while (true)
        {
            TimelineStop stop = isForward ? timeline.Continue(conditions, _session.Activity, _session.Activity.Token)
                : timeline.ReverseContinue(conditions, _session.Activity, _session.Activity.Token);
            if (stop.Reason != TimelineStopReason.Hit) return null;
            MachineEvent what = stop.Hits[0].Event;
            if (accept is null || accept(what))
                return what.Kind == MachineEventKind.Schedule ? ($"vCPU {what.Number} gets its turn", (int)what.Number) : (EventText.Describe(what), what.CpuIndex);
        }
    }

    // The machine stands before the write: CR3 is still the old one.
    private bool IsContextSwitch(MachineEvent what)
    {
        GuestView view = _session.ViewOf(what.CpuIndex);
        ulong before = view.Vcpu.State.Cr3 & RootMask, after = what.Value & RootMask;
        return before != after && !IsolatedTables.AreHalves(view, before, after);
    }

    private (string, int)? FindInput(bool isForward)
    {
        Position here = _session.Timeline.Position;
        LogRecord? best = null;
        foreach (LogRecord input in _session.Recording.ReadInputs())
        {
            if (!input.IsArrival || input.Kind == LogRecordKind.TimeInput) continue;
            if (!isForward && input.At >= here) break;
            if (isForward && input.At <= here) continue;
            best = input;
            if (isForward) break;
        }
        if (best is not { } found) return null;
        _session.Timeline.Seek(found.At, _session.Activity, _session.Activity.Token);
        return ($"{(InputKind)(int)found.Kind} input, {found.Data.Length} byte{(found.Data.Length == 1 ? "" : "s")}", _session.Timeline.Machine.CurrentCpuIndex);
    }

    private (string, int)? FindLine(bool isForward)
    {
        Position here = _session.Timeline.Position;
        ConsoleLine? best = null;
        foreach (OutputChannel channel in Enum.GetValues<OutputChannel>())
        {
            // All lines behind here, or all before: the first, or the last, of them.
            IReadOnlyList<ConsoleLine> lines = isForward ? _session.ConsoleOf(channel).Between(here with { EventOrdinal = here.EventOrdinal + 1 }, _session.Recording.End)
                : _session.ConsoleOf(channel).Between(Position.Start, here);
            if (lines.Count == 0) continue;
            ConsoleLine line = isForward ? lines[0] : lines[^1];
            if (best is not { } other || (isForward ? line.At < other.At : line.At > other.At)) best = line;
        }
        if (best is not { } found) return null;
        _session.Timeline.Seek(found.At, _session.Activity, _session.Activity.Token);
        return ($"\"{found.Text}\"", _session.Timeline.Machine.CurrentCpuIndex);
    }
}
