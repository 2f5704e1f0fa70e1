using System;
using System.Collections.Generic;
using System.Text;
using Replay.Packages;
using Replay.Queries;
using Replay.Replaying;
using Vmm.Platform;
using Vmm.Time;

namespace Proof.Tests;

/// <summary>A stop condition, and the same said a second time in other words: which events of a machine it means.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Condition">What the timeline is asked for.</param>
/// <param name="Kinds">Kinds of events, bit n for kind n.</param>
/// <param name="Matches">Which of them.</param>
internal sealed record Probe(string Name, StopCondition Condition, uint Kinds, Func<MachineEvent, bool> Matches)
{
    public ulong? Breakpoint { get; init; }
    public ulong? PhysicalBreakpoint { get; init; }
    public Watch? Watch { get; init; }
    public string? Text { get; init; }

    public static Probe Event(string name, StopCondition condition, Func<MachineEvent, bool> matches, params MachineEventKind[] kinds)
    {
        uint bits = 0;
        foreach (MachineEventKind kind in kinds) bits |= 1u << (int)kind;
        return new Probe(name, condition, bits, matches);
    }

    public static Probe At(ulong linear) => Event($"breakpoint {linear:x}", StopCondition.Breakpoint(linear), e => e.Address == linear, MachineEventKind.Execute) with
    {
        Breakpoint = linear,
    };

    public static Probe AtPhysical(ulong physical) =>
        Event($"physical breakpoint {physical:x}", StopCondition.PhysicalBreakpoint(physical), e => e.Physical == physical, MachineEventKind.Execute) with
        {
            PhysicalBreakpoint = physical,
        };

    public static Probe Watched(ulong address, int sizeBytes, WatchAccess access, bool isPhysical)
    {
        bool reads = (access & WatchAccess.Read) != 0, writes = (access & WatchAccess.Write) != 0;
        var kinds = new List<MachineEventKind>();
        if (reads) kinds.Add(MachineEventKind.Read);
        if (writes) kinds.Add(MachineEventKind.Write);
        bool Touches(MachineEvent e)
        {
            ulong first = isPhysical ? e.Physical : e.Address;
            return first < address + (ulong)sizeBytes && first + (ulong)Math.Max(1, e.SizeBytes) > address;
        }
        return Event($"{access} of {(isPhysical ? "physical" : "linear")} {address:x}", StopCondition.Watch(address, sizeBytes, access, isPhysical), Touches, [.. kinds]) with
        {
            Watch = new Watch(isPhysical, address, sizeBytes, reads, writes),
        };
    }

    public static Probe Prints(string text) => Event($"console '{text}'", StopCondition.ConsoleText(text), static _ => true, MachineEventKind.Output) with { Text = text };
}

/// <summary>Brute force: all positions at which each probe is hit, found in one run from the start to the end.</summary>
internal sealed class HitLists : IMachineObserver
{
    private readonly IReadOnlyList<Probe> _probes;
    private readonly List<Position>[] _hits;
    private readonly StringBuilder[] _printed = [new(), new(), new(), new()];

    private HitLists(IReadOnlyList<Probe> probes)
    {
        _probes = probes;
        _hits = new List<Position>[probes.Count];
        for (int i = 0; i < _hits.Length; i++)
        {
            _hits[i] = [];
            WantedKinds |= probes[i].Kinds;
        }
    }

    public uint WantedKinds { get; }

    /// <summary>For each probe its positions in ascending order, each once.</summary>
    public static List<Position>[] Collect(RecordingFile recording, IReadOnlyList<Probe> probes)
    {
        var lists = new HitLists(probes);
        var breakpoints = new HashSet<ulong>();
        var physicalBreakpoints = new HashSet<ulong>();
        var watches = new List<Watch>();
        foreach (Probe probe in probes)
        {
            if (probe.Breakpoint is { } linear) breakpoints.Add(linear);
            if (probe.PhysicalBreakpoint is { } physical) physicalBreakpoints.Add(physical);
            if (probe.Watch is { } watch) watches.Add(watch);
        }
        using var replayer = new Replayer(recording);
        replayer.Machine.Observer = lists;
        replayer.Machine.SetBreakpoints(breakpoints, physicalBreakpoints);
        replayer.Machine.SetWatches(watches);
        replayer.RunTo(recording.End);
        return lists._hits;
    }

    public void OnEvent(in MachineEvent machineEvent)
    {
        uint bit = 1u << (int)machineEvent.Kind;
        StringBuilder? printed = machineEvent.Kind == MachineEventKind.Output ? _printed[machineEvent.Number].Append((char)(byte)machineEvent.Value) : null;
        for (int i = 0; i < _hits.Length; i++)
        {
            Probe probe = _probes[i];
            if ((probe.Kinds & bit) == 0 || !probe.Matches(machineEvent)) continue;
            if (probe.Text is { } text && !EndsWith(printed!, text)) continue;
            List<Position> hits = _hits[i];
            if (hits.Count == 0 || hits[^1] != machineEvent.At) hits.Add(machineEvent.At);
        }
    }

    private static bool EndsWith(StringBuilder all, string text)
    {
        if (all.Length < text.Length) return false;
        for (int i = 1; i <= text.Length; i++)
            if (all[^i] != text[^i]) return false;
        return true;
    }
}
