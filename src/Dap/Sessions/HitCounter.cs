using System;
using System.Collections.Generic;
using System.Globalization;
using Dap.Stepping;
using Introspection.Programs;
using Introspection.State;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>
/// Numbers the hits of breakpoints that have a hit condition. A hit's number is how many there were since the start of the recording, itself included, of those for
/// which the breakpoint's condition held: the same from both directions, and after a seek. The recording is gone over once for it, as far as it is asked about.
/// In a diversion, which has no past of its own, counting goes on from the number at the fork.
/// </summary>
internal sealed class HitCounter(Session session)
{
    private const int MaximumBreakpointCount = 64;

    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly Restarts _restarts = new(session);
    private Diversion? _diversion;
    private readonly Dictionary<long, ulong> _inDiversion = [];

    // The positions of all hits before a frontier.
    private sealed class Known
    {
        public List<Position> Hits { get; } = [];
        public Position Frontier { get; set; }
        // Code, stack and address space of instructions that an exception has ended, and that may be begun again.
        public HashSet<(ulong Code, FramePlace Frame)> Ended { get; } = [];
    }

    /// <summary>The number of the hit at the position where the machine stands.</summary>
    /// <exception cref="OperationCanceledException">The user has had enough.</exception>
    public ulong NumberHere(BreakpointEntry entry)
    {
        if (session.Diversion is { } diversion) return NumberInDiversion(entry, diversion);
        return CountBefore(entry, session.Timeline.Position) + 1;
    }

    private ulong NumberInDiversion(BreakpointEntry entry, Diversion diversion)
    {
        if (diversion != _diversion) _inDiversion.Clear();
        _diversion = diversion;
        if (!_inDiversion.TryGetValue(entry.Id, out ulong count)) count = CountBefore(entry, session.Timeline.Position);
        return _inDiversion[entry.Id] = count + 1;
    }

    private ulong CountBefore(BreakpointEntry entry, Position position)
    {
        string key = KeyOf(entry);
        if (_known.Count >= MaximumBreakpointCount && !_known.ContainsKey(key)) _known.Clear();
        if (!_known.TryGetValue(key, out Known? known)) _known[key] = known = new Known { Frontier = session.Timeline.Start };
        if (known.Frontier < position) Extend(known, entry, position);
        int index = known.Hits.BinarySearch(position);
        return (ulong)(index < 0 ? ~index : index);
    }

    private void Extend(Known known, BreakpointEntry entry, Position before)
    {
        var found = new List<Position>();
        var suspicious = new List<(Position At, int CpuIndex)>();
        session.Activity.Title("Counting hits");
        StopCondition[] conditions = entry.IgnoresRestarts ? [.. entry.Conditions, StopCondition.Exception()] : [.. entry.Conditions];
        session.Timeline.Scan(conditions, known.Frontier, before, (machine, hit) =>
        {
            if (entry.IgnoresRestarts && IsEnd(entry, known, machine, hit, suspicious)) return;
            bool isNew = found.Count == 0 || found[^1] != hit.Event.At;
            if (isNew && (!IsJudgedThere(hit) || IsTrue(entry, machine, hit.Event.CpuIndex))) found.Add(hit.Event.At);
        }, session.Activity, session.Activity.Token);
        Position here = session.Timeline.Position;
        foreach ((Position at, int cpu) in suspicious)
        {
            session.Timeline.Seek(at, null, session.Activity.Token);
            if (_restarts.IsRestart(cpu)) found.Remove(at);
        }
        session.Timeline.Seek(here);
        known.Hits.AddRange(NeedsVisits(entry) ? Visit(entry, found) : found);
        known.Frontier = before;
    }

    // True: it is no hit, but the end of one by an exception. A hit at such a place is to be looked at again.
    private static bool IsEnd(BreakpointEntry entry, Known known, Machine machine, in QueryHit hit, List<(Position At, int CpuIndex)> suspicious)
    {
        int cpu = Math.Max(0, hit.Event.CpuIndex);
        var view = new GuestView(machine, machine.Vcpus[cpu]);
        (ulong, FramePlace) place = (view.CodeAddress, FramePlace.Of(view.Vcpu.State));
        if (hit.Event.Kind == MachineEventKind.Execute)
        {
            if (known.Ended.Remove(place)) suspicious.Add((hit.Event.At, cpu));
            return false;
        }
        foreach (StopCondition condition in entry.Conditions)
            if ((ulong)condition.Number == view.CodeAddress) known.Ended.Add(place);
        return true;
    }

    // A condition is about the state just before the instruction, in the midst of which a write is reported.
    private static bool IsJudgedThere(in QueryHit hit) => hit.Event.Kind == MachineEventKind.Execute;

    private static bool NeedsVisits(BreakpointEntry entry)
    {
        if (entry.Expression is null) return false;
        foreach (StopCondition condition in entry.Conditions)
            if (condition.Kind is not (StopConditionKind.Breakpoint or StopConditionKind.PhysicalBreakpoint)) return true;
        return false;
    }

    private List<Position> Visit(BreakpointEntry entry, List<Position> candidates)
    {
        Position here = session.Timeline.Position;
        var accepted = new List<Position>();
        foreach (Position candidate in candidates)
        {
            session.Timeline.Seek(candidate, null, session.Activity.Token);
            if (IsTrue(entry, session.Machine, session.Machine.CurrentCpuIndex)) accepted.Add(candidate);
        }
        session.Timeline.Seek(here);
        return accepted;
    }

    private bool IsTrue(BreakpointEntry entry, Machine machine, int cpuIndex) => IsTrue(entry.Expression, new GuestView(machine, machine.Vcpus[Math.Max(0, cpuIndex)]), session.Symbols);

    /// <summary>A breakpoint's condition holds, or there is none.</summary>
    public static bool IsTrue(Condition? condition, in GuestView view, SymbolSet symbols) => condition is null || condition.IsTrue(view, symbols);

    // Clients set all breakpoints anew when one changes: what was counted is worth keeping.
    private static string KeyOf(BreakpointEntry entry)
    {
        var key = new System.Text.StringBuilder(entry.Expression?.Text).Append('|');
        foreach (StopCondition c in entry.Conditions)
            key.Append(CultureInfo.InvariantCulture, $"{c.Kind},{c.Number},{c.SizeBytes},{c.IsPhysical},{c.Reads},{c.Writes};");
        return key.ToString();
    }
}
