using System;
using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Sessions;
using Replay.Queries;
using Replay.Timelines;
using Symbols.Dwarf.Lines;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>
/// "Jump to cursor": in a recording it does not change what the guest does, but goes to where it does a line the next time, or did it the last time.
/// </summary>
internal sealed class GotoRequests
{
    private readonly Session _session;
    private readonly HandleTable<Target> _targets = new();

    public GotoRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<GotoTargetsArguments>(Commands.GotoTargets, Targets);
        requests.Add<GotoArguments>(Commands.Goto, Goto);
    }

    private sealed record Target(string Label, IReadOnlyList<StopCondition> Conditions, bool IsForward);

    private Answer Targets(GotoTargetsArguments arguments)
    {
        // They hold until others are asked for.
        _targets.Clear();
        string path = arguments.Source.Path ?? arguments.Source.Name ?? "";
        IReadOnlyList<LineAddress> places = arguments.Line is > 0 and <= uint.MaxValue ? _session.Symbols.BreakpointAddresses(path, (uint)arguments.Line) : [];
        if (places.Count == 0) return Answer.Of(new GotoTargetsResponseBody { Targets = [] });
        var conditions = new List<StopCondition>();
        foreach (LineAddress place in places) conditions.Add(StopCondition.Breakpoint(place.Address));
        long line = places[0].Line;
        string where = $"{SourcePath.FileName(path)}:{line}";
        return Answer.Of(new GotoTargetsResponseBody { Targets = [Offer("Next time executed", isForward: true), Offer("Last time executed", isForward: false)] });

        GotoTarget Offer(string label, bool isForward)
        {
            long id = _targets.Add(new Target($"{label}: {where}", conditions, isForward));
            return new GotoTarget { Id = id, Label = label, Line = line, InstructionPointerReference = Hexadecimal.Of(places[0].Address) };
        }
    }

    private Answer Goto(GotoArguments arguments)
    {
        int cpu = _session.CpuOfThread(arguments.ThreadId);
        _session.RequireRecording("going elsewhere");
        Target target = _targets.Find(arguments.TargetId) ?? throw new RequestException($"there is no goto target {arguments.TargetId}");
        Timeline timeline = _session.Timeline;
        Position origin = timeline.Position;
        _session.Activity.Title(target.Label);
        TimelineStop stop = target.IsForward ? timeline.Continue(target.Conditions, _session.Activity, _session.Activity.Token)
            : timeline.ReverseContinue(target.Conditions, _session.Activity, _session.Activity.Token);
        if (stop.Reason != TimelineStopReason.Hit)
        {
            timeline.Seek(origin);
            throw new RequestException($"the line is not executed {(target.IsForward ? "after" : "before")} {origin}") { ShowUser = true };
        }
        int hit = stop.Hits[0].Event.CpuIndex >= 0 ? stop.Hits[0].Event.CpuIndex : cpu;
        return Answer.After(() => _session.Moved(new StopReport("goto", $"{target.Label}, at {stop.Position}", hit)));
    }
}
