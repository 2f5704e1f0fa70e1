using System.Collections.Generic;
using Replay.Queries;

namespace Dap.Sessions;

/// <summary>Something at which a run stops.</summary>
/// <param name="Id">Number for the client.</param>
/// <param name="Reason">The word of the protocol for a stop at it.</param>
/// <param name="Label">What it is, for people.</param>
/// <param name="Conditions">What the timeline looks for: any of them.</param>
/// <param name="Expression">Must not be zero there; null: no matter.</param>
internal sealed record BreakpointEntry(long Id, string Reason, string Label, IReadOnlyList<StopCondition> Conditions, string? Expression);

/// <summary>All breakpoints of a session, by the request that sets them: each replaces those of its kind.</summary>
internal sealed class Breakpoints
{
    private readonly Dictionary<string, IReadOnlyList<BreakpointEntry>> _entries = [];
    private long _lastId;

    public long NextId() => ++_lastId;

    public void Replace(string kind, IReadOnlyList<BreakpointEntry> entries) => _entries[kind] = entries;

    public IEnumerable<BreakpointEntry> All
    {
        get
        {
            foreach (IReadOnlyList<BreakpointEntry> entries in _entries.Values)
                foreach (BreakpointEntry entry in entries) yield return entry;
        }
    }
}
