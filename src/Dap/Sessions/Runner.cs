using System;
using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>Runs to breakpoints, forwards and backwards, and says why it stopped. In a diversion, forwards only.</summary>
internal sealed class Runner(Session session)
{
    private static readonly TimeSpan s_lookInterval = TimeSpan.FromMilliseconds(200);

    private readonly ConsolePrinter _console = new(session);
    private readonly HitCounter _hits = new(session);
    private readonly Restarts _restarts = new(session);

    /// <summary>
    /// Runs until a breakpoint of the user's is hit, or a temporary one for which <paramref name="accept"/> is true.
    /// </summary>
    /// <param name="isForward">The direction.</param>
    /// <param name="cpuIndex">The vCPU that the stop is about when no event says otherwise.</param>
    /// <param name="temporary">Any of these; empty: none.</param>
    /// <param name="accept">Asked with the machine standing there, of the vCPU; null: any will do.</param>
    /// <param name="limit">When nothing is hit before it, or going back from it on, the machine stands there, with <see cref="StopReport.AtLimit"/>.</param>
    public StopReport Run(bool isForward, int cpuIndex, IReadOnlyList<StopCondition>? temporary = null, Func<int, bool>? accept = null, Position? limit = null)
    {
        temporary ??= [];
        Position origin = session.Machine.Position;
        try
        {
            session.ProgramBreakpoints.Prepare();
        }
        catch (OperationCanceledException)
        {
            return new StopReport("pause", $"Paused while looking for programs; still at {origin}", cpuIndex);
        }
        (List<BreakpointEntry> entries, HashSet<StopCondition> conditions) = Collect(temporary);
        session.Activity.Title(isForward ? "Running" : "Running backwards");
        Position from = origin;
        while (true)
        {
            TimelineStop stop;
            try
            {
                stop = Go(isForward, conditions, limit);
            }
            catch (OperationCanceledException)
            {
                StopReport paused = Paused(isForward, cpuIndex);
                _console.PrintSince(from);
                return paused;
            }
            if (limit is not null && stop.Reason == TimelineStopReason.Done) return new StopReport(StopReport.AtLimit, "", cpuIndex);
            if (stop.Reason == TimelineStopReason.End && isForward && !session.IsDiverted && session.Timeline.IsLive)
            {
                _console.PrintSince(from);
                return LiveOn(cpuIndex, temporary, accept);
            }
            if (Report(stop, cpuIndex, entries, temporary, accept) is not { } report) continue;
            if (limit is null) _console.PrintSince(from);
            return report;
        }
    }

    private (List<BreakpointEntry> Entries, HashSet<StopCondition> Conditions) Collect(IReadOnlyList<StopCondition> temporary)
    {
        List<BreakpointEntry> entries = [.. session.Breakpoints.All];
        HashSet<StopCondition> conditions = [.. entries.SelectMany(entry => entry.Conditions), .. temporary];
        return (entries, conditions);
    }

    // From the end of what is recorded the guest lives on, perhaps for ever: requests are served meanwhile, and may change breakpoints.
    private StopReport LiveOn(int cpuIndex, IReadOnlyList<StopCondition> temporary, Func<int, bool>? accept)
    {
        session.IsRunning = true;
        try
        {
            while (true)
            {
                session.ServeWhileRunning();
                (List<BreakpointEntry> entries, HashSet<StopCondition> conditions) = Collect(temporary);
                IReadOnlyList<StopCondition> hooks = session.ProgramBreakpoints.LiveHooks();
                conditions.UnionWith(hooks);
                TimelineStop stop = session.LiveOn(conditions, session.ProgramBreakpoints.WaitsForKernel ? s_lookInterval : null);
                if (stop.Reason == TimelineStopReason.Done && !session.Activity.Token.IsCancellationRequested) continue;
                if (Learned(stop, hooks)) entries = [.. session.Breakpoints.All];
                // What was hit and did not count lies before the end.
                if (Report(stop, cpuIndex, entries, temporary, accept) is { } report) return report;
            }
        }
        finally
        {
            session.IsRunning = false;
        }
    }

    private bool Learned(in TimelineStop stop, IReadOnlyList<StopCondition> hooks)
    {
        bool hasLearned = false;
        foreach (QueryHit hit in stop.Reason == TimelineStopReason.Hit ? stop.Hits : [])
        {
            if (!hooks.Contains(hit.Condition)) continue;
            session.ProgramBreakpoints.LearnAt(session.ViewOf(Math.Max(0, hit.Event.CpuIndex)));
            hasLearned = true;
        }
        return hasLearned;
    }

    private TimelineStop Go(bool isForward, HashSet<StopCondition> conditions, Position? limit)
    {
        session.Activity.NextMovement();
        if (session.Diversion is { } diversion) return diversion.Continue(conditions, ulong.MaxValue, session.Activity.Token);
        return isForward ? session.Timeline.Continue(conditions, limit, session.Activity, session.Activity.Token, stopsAtHoles: true)
            : session.Timeline.ReverseContinue(conditions, limit, session.Activity, session.Activity.Token, stopsAtHoles: true);
    }

    // Null: none of what was hit counts.
    private StopReport? Report(in TimelineStop stop, int cpuIndex, List<BreakpointEntry> entries, IReadOnlyList<StopCondition> temporary, Func<int, bool>? accept)
    {
        switch (stop.Reason)
        {
            case TimelineStopReason.Start:
                return AtStart(cpuIndex);
            case TimelineStopReason.End:
                return AtEnd(cpuIndex);
            case TimelineStopReason.Hole:
                return AtHole(stop, cpuIndex);
            case TimelineStopReason.Done:
                return new StopReport("pause", $"Paused at {stop.Position}", cpuIndex);
        }
        var hit = new List<BreakpointEntry>();
        var judged = new HashSet<long>();
        int cpu = cpuIndex;
        bool isTemporary = false;
        bool? isRestart = null;
        MachineEvent what = stop.Hits[0].Event;
        foreach (QueryHit one in stop.Hits)
        {
            if (one.Event.CpuIndex >= 0) cpu = one.Event.CpuIndex;
            isTemporary |= temporary.Contains(one.Condition) && (accept is null || accept(cpu));
            foreach (BreakpointEntry entry in entries)
            {
                if (!entry.Conditions.Contains(one.Condition) || !judged.Add(entry.Id) || !session.ProgramBreakpoints.IsThere(entry, cpu)) continue;
                if (Counts(entry, cpu, ref isRestart) is not { } counts) return new StopReport("pause", $"Paused at {stop.Position}, counting hits", cpu);
                if (!counts) continue;
                if (entry.Log is { } log)
                {
                    Print(entry, log, cpu);
                    continue;
                }
                what = one.Event;
                hit.Add(entry);
            }
        }
        if (hit.Count > 0) return StopAt(hit, what, cpu);
        return isTemporary ? new StopReport("step", $"Stepped to {stop.Position}", cpu) : null;
    }

    /// <summary>What the guest has printed since a position.</summary>
    public void PrintSince(Position from) => _console.PrintSince(from);

    /// <summary>The stop at a breakpoint of the user's on the instruction that a vCPU stands at; null: there is none that counts.</summary>
    public StopReport? HitHere(int cpuIndex, ulong code)
    {
        var here = new QueryHit(StopCondition.Breakpoint(code), new MachineEvent(session.Machine.Position, MachineEventKind.Execute, cpuIndex, 0, 0, code, 0, 0, 0));
        return Report(new TimelineStop(TimelineStopReason.Hit, session.Machine.Position, [here]), cpuIndex, [.. session.Breakpoints.All], [], null);
    }

    private void Print(BreakpointEntry entry, LogMessage log, int cpuIndex) => session.Send(Events.Output, new OutputEventBody
    {
        Category = "console", Output = log.Format(session.ViewOf(cpuIndex), session.Symbols) + "\n", Source = entry.Source, Line = entry.Line,
    });

    // Its condition holds, and the number of the hit is one that counts. Null: it was cancelled.
    private bool? Counts(BreakpointEntry entry, int cpuIndex, ref bool? isRestart)
    {
        if (!HitCounter.IsTrue(entry.Expression, session.ViewOf(cpuIndex), session.SymbolsOf(cpuIndex))) return false;
        try
        {
            if (entry.Hits is { } wanted && !wanted.Accepts(_hits.NumberHere(entry))) return false;
            // It takes steps back: too long for each of the many hits that are only printed.
            return entry.Log is not null || !entry.IgnoresRestarts || !(isRestart ??= _restarts.IsRestart(cpuIndex));
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    // The description is a label in a narrow place; the text says all: of an access, with the value and both addresses.
    private static StopReport StopAt(List<BreakpointEntry> hit, in MachineEvent what, int cpuIndex)
    {
        string label = hit[0].Label;
        string brief = what.Kind == MachineEventKind.Execute ? $"Breakpoint at {label}" : Capital(label);
        string text = what.Kind is MachineEventKind.Execute or MachineEventKind.Output ? brief : $"{brief}: {EventText.Describe(what)}";
        string description = what.Kind is MachineEventKind.Read or MachineEventKind.Write ? brief : text;
        return new StopReport(hit[0].Reason, description, cpuIndex, [.. hit.Select(entry => entry.Id)]) { Text = text };
    }

    private static string Capital(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}";

    public StopReport AtStart(int cpuIndex) => new("start", "Start of the recording", cpuIndex);

    // The label says where it stands, the text what is missing there.
    private static StopReport AtHole(in TimelineStop stop, int cpuIndex) => new("hole", $"Edge of what was redacted, at {stop.Position}", cpuIndex)
    {
        Text = $"{Capital(stop.Hole.ToString()!)}. Continuing in the same direction goes on behind it.",
    };

    public StopReport AtEnd(int cpuIndex)
    {
        Outcome outcome = session.Machine.Outcome;
        string what = session.IsDiverted ? "End of the diversion" : "End of the recording";
        return outcome.Kind == OutcomeKind.TripleFault ? new StopReport("exception", $"{what}: {EventText.Describe(outcome)}", cpuIndex)
            : new StopReport("end", $"{what}: {EventText.Describe(outcome)}", cpuIndex);
    }

    // A cancelled movement is back where it began. A user who pauses wants to see what it has come to.
    private StopReport Paused(bool isForward, int cpuIndex)
    {
        Timeline timeline = session.Timeline;
        if (!isForward) return new StopReport("pause", $"Paused the search backwards; still at {timeline.Position}", cpuIndex);
        var reached = new Position(timeline.Position.InstructionCount + session.Activity.DoneInstructions);
        if (reached > timeline.Position) timeline.Seek(reached < timeline.End ? reached : timeline.End);
        return new StopReport("pause", $"Paused at {timeline.Position}", timeline.Machine.CurrentCpuIndex);
    }
}
