using System.Collections.Generic;

namespace Introspection.Locks.History;

/// <summary>
/// In which order locks are taken: lockdep's question (Documentation/locking/lockdep-design.rst), asked of single locks and after the fact. An edge from A to B says that B was wanted
/// while A was held; a cycle of edges is a deadlock that only had to happen at the same time.
/// </summary>
internal sealed class LockOrder
{
    private const int MaximumEdges = 1 << 20, MaximumPath = 8, MaximumVisits = 4096;

    private readonly Dictionary<LockRecord, Dictionary<LockRecord, (LockUse Held, LockUse Wanted)>> _edges = [];
    private readonly HashSet<(ulong, ulong)> _told = [];
    private int _count;

    /// <summary>The first time that each lock was wanted while another was held.</summary>
    public IEnumerable<(LockUse Held, LockUse Wanted)> Edges
    {
        get
        {
            foreach (Dictionary<LockRecord, (LockUse Held, LockUse Wanted)> outgoing in _edges.Values)
                foreach ((LockUse, LockUse) edge in outgoing.Values) yield return edge;
        }
    }

    /// <summary>Notes that one was wanted while another was held. A new cycle: its uses, in pairs of held and wanted, this one's first; else null.</summary>
    public IReadOnlyList<LockUse>? Add(LockUse held, LockUse wanted)
    {
        LockRecord from = held.Lock, to = wanted.Lock;
        if (ReferenceEquals(from, to) || _count >= MaximumEdges) return null;
        if (!_edges.TryGetValue(from, out var outgoing)) _edges[from] = outgoing = [];
        if (!outgoing.TryAdd(to, (held, wanted))) return null;
        _count++;
        if (PathBetween(to, from) is not { } path) return null;
        (ulong, ulong) pair = from.Address < to.Address ? (from.Address, to.Address) : (to.Address, from.Address);
        if (!_told.Add(pair)) return null;
        var uses = new List<LockUse> { held, wanted };
        bool areAllReaders = held.IsShared && wanted.IsShared;
        foreach ((LockUse h, LockUse w) in path)
        {
            areAllReaders &= h.IsShared && w.IsShared;
            uses.Add(h);
            uses.Add(w);
        }
        // Readers do not wait for each other.
        return areAllReaders ? null : uses;
    }

    private List<(LockUse, LockUse)>? PathBetween(LockRecord from, LockRecord to)
    {
        var visited = new HashSet<LockRecord> { from };
        var queue = new Queue<(LockRecord At, int Length)>();
        var before = new Dictionary<LockRecord, LockRecord>();
        queue.Enqueue((from, 0));
        while (queue.TryDequeue(out (LockRecord At, int Length) one) && visited.Count < MaximumVisits)
        {
            if (one.Length >= MaximumPath || !_edges.TryGetValue(one.At, out var outgoing)) continue;
            foreach (LockRecord next in outgoing.Keys)
            {
                if (!visited.Add(next)) continue;
                before[next] = one.At;
                if (ReferenceEquals(next, to)) return Path(before, from, to);
                queue.Enqueue((next, one.Length + 1));
            }
        }
        return null;
    }

    private List<(LockUse, LockUse)> Path(Dictionary<LockRecord, LockRecord> before, LockRecord from, LockRecord to)
    {
        var path = new List<(LockUse, LockUse)>();
        for (LockRecord at = to; !ReferenceEquals(at, from); at = before[at]) path.Add(_edges[before[at]][at]);
        path.Reverse();
        return path;
    }
}
