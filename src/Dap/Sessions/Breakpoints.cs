using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Programs;
using Replay.Queries;
using Vmm.Platform;

namespace Dap.Sessions;

/// <summary>Something at which a run stops, or about which it prints.</summary>
/// <param name="Id">Number for the client.</param>
/// <param name="Reason">The word of the protocol for a stop at it.</param>
/// <param name="Label">What it is, for people.</param>
/// <param name="Conditions">What the timeline looks for: any of them.</param>
internal sealed record BreakpointEntry(long Id, string Reason, string Label, IReadOnlyList<StopCondition> Conditions)
{
    /// <summary>An instruction that an exception has ended, and that is begun again, is not hit again; one that the user has put on the instruction itself is.</summary>
    public bool IgnoresRestarts => Reason != OfInstruction && PlacesAreCode;

    /// <summary>The word of the protocol for a breakpoint on an instruction.</summary>
    public const string OfInstruction = "instruction breakpoint";

    private bool PlacesAreCode => Conditions.Count > 0 && Conditions[0].Kind == StopConditionKind.Breakpoint;

    /// <summary>Must not be zero there; null: no matter.</summary>
    public Condition? Expression { get; init; }

    /// <summary>Which of the hits count; null: all.</summary>
    public HitCondition? Hits { get; init; }

    /// <summary>Printed instead of stopping; null: it stops.</summary>
    public LogMessage? Log { get; init; }

    /// <summary>What the client asked for, to be saved; null: it is not saved.</summary>
    public TtvmSavedBreakpoint? AsSet { get; init; }

    /// <summary>Its addresses among a process's programs; null: it is at addresses, and stays there.</summary>
    public Func<SymbolSet, IReadOnlyList<ulong>>? PlacesIn { get; init; }

    /// <summary>The line that it is on with a process's programs; null: it has none.</summary>
    public Func<SymbolSet, long?>? LineIn { get; init; }

    /// <summary>What its condition means with a process's programs; null: it has none.</summary>
    public Func<SymbolSet, Func<Machine, int, bool>>? FilterFor { get; init; }

    /// <summary>It waits for a program to be mapped, or is in one, which may be mapped elsewhere another time.</summary>
    public bool IsInProgram
    {
        get
        {
            foreach (StopCondition condition in Conditions)
                if ((ulong)condition.Number >> 63 != 0) return false;
            return true;
        }
    }

    /// <summary>Where it is in the source; null: nowhere.</summary>
    public Source? Source { get; init; }

    /// <summary>The line there.</summary>
    public long? Line { get; init; }
}

/// <summary>All breakpoints of a session, by the request that sets them, and by the file if it is about one: each replaces those of its kind.</summary>
internal sealed class Breakpoints
{
    private readonly Dictionary<string, IReadOnlyList<BreakpointEntry>> _entries = [];
    private long _lastId;

    public long NextId() => ++_lastId;

    public void Replace(string kind, IReadOnlyList<BreakpointEntry> entries) => _entries[kind] = entries;

    /// <summary>Exchanges breakpoints for others; where null is given they stay.</summary>
    public void Refine(Func<BreakpointEntry, BreakpointEntry?> refined)
    {
        foreach (string kind in new List<string>(_entries.Keys))
        {
            List<BreakpointEntry>? changed = null;
            IReadOnlyList<BreakpointEntry> entries = _entries[kind];
            for (int i = 0; i < entries.Count; i++)
                if (refined(entries[i]) is { } other) (changed ??= [.. entries])[i] = other;
            if (changed is not null) _entries[kind] = changed;
        }
    }

    public IEnumerable<BreakpointEntry> All
    {
        get
        {
            foreach (IReadOnlyList<BreakpointEntry> entries in _entries.Values)
                foreach (BreakpointEntry entry in entries) yield return entry;
        }
    }
}
