using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Linux;
using Introspection.Programs;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>
/// Breakpoints in programs that a Linux guest maps now and then, each time perhaps elsewhere. Before a run that has some, the recording is gone over once for the moments
/// at which code was mapped, so that every place where a breakpoint can be is known, in both directions. A living guest is looked at when such a moment comes.
/// </summary>
internal sealed class ProgramBreakpoints(Session session)
{
    private const int MaximumSets = 1024;

    // The symbols of a process, for each that has been seen with other programs: the files differ, or where they are.
    private readonly List<SymbolSet> _known = [];
    private readonly Dictionary<(long Id, SymbolSet Set), IReadOnlyList<ulong>> _places = [];
    private Position? _knownUntil;

    /// <summary>Where the guest stands, its programs may be others: breakpoints that wait for one may have their place now.</summary>
    public void Look()
    {
        if (!session.IsLaunched || !session.Programs.MayLoadPrograms || !HasWaiting()) return;
        for (int i = 0; i < session.Machine.Vcpus.Count; i++) Learn(session.SymbolsOf(i));
    }

    /// <summary>A new breakpoint with all places where its programs were seen.</summary>
    public BreakpointEntry WithKnown(BreakpointEntry entry)
    {
        foreach (SymbolSet set in _known) entry = Refined(entry, set) ?? entry;
        return entry;
    }

    /// <summary>Before a run: finds all places in the recording, unless it is known already.</summary>
    /// <exception cref="OperationCanceledException">The user has had enough; what was found counts.</exception>
    public void Prepare()
    {
        if (!session.Programs.MayLoadPrograms || session.Timeline.IsLive || !HasWaiting() || _knownUntil >= session.Timeline.End || Hooks() is not { Count: > 0 } hooks) return;
        session.Activity.Title("Looking for programs");
        Position from = _knownUntil ?? session.Timeline.Start, end = session.Timeline.End;
        try
        {
            session.Timeline.Scan(hooks, from, end, LearnAt, session.Activity, session.Activity.Token);
            _knownUntil = end;
        }
        finally
        {
            session.Programs.Refresh();
        }
    }

    /// <summary>What a living guest has to be stopped at; empty: nothing.</summary>
    public IReadOnlyList<StopCondition> LiveHooks() => session.Programs.MayLoadPrograms && session.Timeline.IsLive && HasWaiting() ? Hooks() : [];

    /// <summary>Breakpoints wait for programs in a living guest whose kernel is not there yet, or not known: it has to be looked for while it boots.</summary>
    public bool WaitsForKernel => session.Programs is { MayLoadPrograms: true, Kernel: null } && session.Timeline.IsLive && HasWaiting();

    /// <summary>A breakpoint in a program was hit: the vCPU's address space has that program there, and not another one.</summary>
    public bool IsThere(BreakpointEntry entry, int cpuIndex)
    {
        if (entry.PlacesIn is not { } placesIn) return true;
        ulong code = session.ViewOf(cpuIndex).CodeAddress;
        // The kernel is where it is in all address spaces.
        if (code >> 63 != 0 || !session.Programs.MayLoadPrograms) return true;
        // A process may have been followed by another one, in the same place of the kernel's memory.
        session.Programs.Refresh();
        SymbolSet set = session.SymbolsOf(cpuIndex);
        if (!_places.TryGetValue((entry.Id, set), out IReadOnlyList<ulong>? places)) _places[(entry.Id, set)] = places = placesIn(set);
        foreach (ulong place in places)
            if (place == code) return true;
        return false;
    }

    private bool HasWaiting()
    {
        foreach (BreakpointEntry entry in session.Breakpoints.All)
            if (entry is { PlacesIn: not null, IsInProgram: true }) return true;
        return false;
    }

    private List<StopCondition> Hooks()
    {
        _ = session.SymbolsOf(0);
        LinuxKernel? kernel = session.Programs.Kernel;
        if (kernel is null && !session.Timeline.IsLive)
        {
            // Before the kernel is there; at the end of its recording it is.
            Machine last = session.MachineAt(session.Timeline.End, 0);
            session.Programs.Refresh();
            foreach (Vmm.Cpu.Vcpu vcpu in last.Vcpus)
            {
                session.Programs.At(new GuestView(last, vcpu));
                kernel ??= session.Programs.Kernel;
            }
            session.Programs.Refresh();
        }
        var hooks = new List<StopCondition>();
        if (kernel is not null)
            foreach (ulong address in ProgramLoads.Addresses(kernel)) hooks.Add(StopCondition.Breakpoint(address));
        return hooks;
    }

    private void LearnAt(Machine machine, QueryHit hit) => LearnAt(new GuestView(machine, machine.Vcpus[Math.Max(0, hit.Event.CpuIndex)]));

    /// <summary>A vCPU stands where code was mapped.</summary>
    public void LearnAt(GuestView view)
    {
        session.Programs.Refresh();
        SymbolSet set = session.Programs.At(view);
        if (session.Programs.Kernel is { } kernel && ProgramLoads.IsOfCode(kernel, view)) Learn(set);
    }

    private void Learn(SymbolSet set)
    {
        if (_known.Contains(set)) return;
        if (_known.Count < MaximumSets) _known.Add(set);
        session.Breakpoints.Refine(entry =>
        {
            if (Refined(entry, set) is not { } refined) return null;
            if (entry.Conditions.Count > 0) return refined;
            refined = refined with { Line = entry.LineIn?.Invoke(set) ?? entry.Line };
            var told = new Breakpoint { Id = entry.Id, Verified = true, Source = entry.Source, Line = refined.Line };
            session.Send(Events.Breakpoint, new BreakpointEventBody { Reason = "changed", Breakpoint = told });
            return refined;
        });
    }

    // Null: it stays as it is.
    private static BreakpointEntry? Refined(BreakpointEntry entry, SymbolSet set)
    {
        if (entry.PlacesIn is not { } placesIn) return null;
        BreakpointEntry? refined = null;
        foreach (ulong place in placesIn(set))
        {
            StopCondition condition = StopCondition.Breakpoint(place) with { Filter = entry.FilterFor?.Invoke(set) };
            bool isKnown = false;
            foreach (StopCondition known in (refined ?? entry).Conditions) isKnown |= known.Kind == StopConditionKind.Breakpoint && known.Number == condition.Number;
            if (!isKnown) refined = (refined ?? entry) with { Conditions = [.. (refined ?? entry).Conditions, condition] };
        }
        return refined;
    }
}
