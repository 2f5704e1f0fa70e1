using System;
using System.Collections.Generic;

namespace Introspection.Locks.History;

/// <summary>
/// In which order locks are taken: lockdep's question (Documentation/locking/lockdep-design.rst), asked of single locks and after the fact. An edge from A to B says that B was wanted
/// while A was held; a cycle of edges is a deadlock that only had to happen at the same time.
/// </summary>
internal sealed class LockOrder
{
    private const int MaximumEdges = 1 << 20, MaximumPath = 8, MaximumVisits = 4096, None = -1;
    // Odd, so that all products differ: the hash code of a ulong is its halves' XOR, of which small numbers have few.
    private const ulong Spread = 0x9E3779B97F4A7C15;

    /// <summary>A lock that was taken while another was held, or the other way round.</summary>
    private struct Node()
    {
        // Of its edges, in the order in which they were found.
        public int First = None, Last = None;
        public bool IsReached;
        // The last search that has come here, and by which edge.
        public int Search, By;
    }

    private readonly record struct Edge(LockUse Held, LockUse Wanted, int Next);

    // A guest has a hundred thousand edges: they are in one table, and not in one for each lock, which the garbage collector would have to move.
    private readonly HashSet<ulong> _known = [];
    private readonly HashSet<(ulong, ulong)> _told = [];
    private readonly Queue<(int Node, int Length)> _queue = new();
    private Node[] _nodes = [];
    private Edge[] _edges = new Edge[256];
    private int _count, _searches;

    /// <summary>The first time that each lock was wanted while another was held, by when that was.</summary>
    public IEnumerable<(LockUse Held, LockUse Wanted)> Edges
    {
        get
        {
            for (int i = 0; i < _count; i++) yield return (_edges[i].Held, _edges[i].Wanted);
        }
    }

    /// <summary>Notes that one was wanted while another was held. A new cycle: its uses, in pairs of held and wanted, this one's first; else null.</summary>
    public IReadOnlyList<LockUse>? Add(LockUse held, LockUse wanted)
    {
        if (ReferenceEquals(held.Lock, wanted.Lock) || _count >= MaximumEdges) return null;
        int from = NodeOf(held.Lock), to = NodeOf(wanted.Lock);
        if (!_known.Add(((ulong)(uint)from << 32 | (uint)to) * Spread)) return null;
        Append(from, new Edge(held, wanted, None));
        _nodes[to].IsReached = true;
        if (!TryFindPath(to, from)) return null;
        ulong a = held.Lock.Address, b = wanted.Lock.Address;
        if (!_told.Add(a < b ? (a, b) : (b, a))) return null;
        var uses = new List<LockUse> { held, wanted };
        bool areAllReaders = held.IsShared && wanted.IsShared;
        foreach ((LockUse h, LockUse w) in Path(to, from))
        {
            areAllReaders &= h.IsShared && w.IsShared;
            uses.Add(h);
            uses.Add(w);
        }
        // Readers do not wait for each other.
        return areAllReaders ? null : uses;
    }

    private int NodeOf(LockRecord record)
    {
        int known = _nodes.Length;
        if (record.Number >= known)
        {
            Array.Resize(ref _nodes, Math.Max(2 * known, record.Number + 1));
            _nodes.AsSpan(known).Fill(new Node());
        }
        return record.Number;
    }

    private void Append(int from, in Edge edge)
    {
        if (_count == _edges.Length) Array.Resize(ref _edges, 2 * _count);
        _edges[_count] = edge;
        ref Node node = ref _nodes[from];
        if (node.Last == None) node.First = _count;
        else _edges[node.Last] = _edges[node.Last] with { Next = _count };
        node.Last = _count++;
    }

    /// <summary>The shortest way from one to another, if it is not too long: which edge leads to each node on it is noted.</summary>
    private bool TryFindPath(int from, int to)
    {
        // Most are inside of all others or outside.
        if (_nodes[from].First == None || !_nodes[to].IsReached) return false;
        int search = ++_searches, visited = 1;
        _nodes[from].Search = search;
        _queue.Clear();
        _queue.Enqueue((from, 0));
        while (_queue.TryDequeue(out (int Node, int Length) one) && visited < MaximumVisits)
        {
            if (one.Length >= MaximumPath) continue;
            for (int e = _nodes[one.Node].First; e != None; e = _edges[e].Next)
            {
                int next = _edges[e].Wanted.Lock.Number;
                ref Node node = ref _nodes[next];
                if (node.Search == search) continue;
                (node.Search, node.By) = (search, e);
                if (next == to) return true;
                visited++;
                _queue.Enqueue((next, one.Length + 1));
            }
        }
        return false;
    }

    private List<(LockUse Held, LockUse Wanted)> Path(int from, int to)
    {
        var path = new List<(LockUse, LockUse)>();
        for (int at = to; at != from;)
        {
            Edge edge = _edges[_nodes[at].By];
            path.Add((edge.Held, edge.Wanted));
            at = edge.Held.Lock.Number;
        }
        path.Reverse();
        return path;
    }
}
