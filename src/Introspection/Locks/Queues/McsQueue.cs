using System.Collections.Generic;
using Introspection.Layouts;

namespace Introspection.Locks.Queues;

/// <summary>A node of an MCS queue.</summary>
/// <param name="Address">Linear.</param>
/// <param name="CpuIndex">The vCPU it belongs to, or that runs it; null: not known.</param>
internal readonly record struct McsNode(ulong Address, int? CpuIndex);

/// <summary>
/// The queue of an MCS lock (Mellor-Crummey and Scott, ACM TOCS 9(1), 1991). The lock points to the end of the queue and each node to the one behind it, so that the owner is
/// found by going from the end forwards: the node before is the one whose next is this one. A node that has released the lock keeps an old pointer to its successor; the walk
/// ends at the first node that does not wait, so that such pointers only matter when several nodes seem to be the owner.
/// </summary>
internal sealed class McsQueue
{
    private McsQueue(List<McsNode> nodes) => Nodes = nodes;

    /// <summary>The owner first, if it is known; then the waiters in the order in which they get the lock.</summary>
    public IReadOnlyList<McsNode> Nodes { get; }

    /// <summary>The first node is the owner.</summary>
    public bool HasOwner { get; private init; }

    /// <summary>Nodes of which one is the owner, where memory does not tell which.</summary>
    public IReadOnlyList<McsNode> PossibleOwners { get; private init; } = [];

    public bool IsCorrupt { get; private init; }

    public string? Problem { get; private init; }

    public static McsQueue Read(LockReader reader, QueueNode layout, ulong lockAddress, ulong tail)
    {
        var all = new List<McsNode>();
        foreach (NodeArray array in layout.Arrays ?? [])
        {
            if (reader.Resolve(array.At) is not { } first) continue;
            for (int i = 0; i < array.Count; i++)
            {
                ulong address = first + (ulong)((long)i * array.Stride);
                all.Add(new McsNode(address, layout.IsPerCpu == true ? i : reader.CpuRunning(address)));
            }
        }
        if (all.Count == 0) return new McsQueue([]) { Problem = "Where its nodes are is not known: the arrays that are declared have no symbols." };
        int current = IndexOf(all, tail);
        if (current < 0) return Corrupt([], $"Its tail 0x{tail:x} is no queue node.");
        // From the end to the owner.
        var queue = new List<McsNode>();
        var seen = new HashSet<ulong>();
        while (true)
        {
            McsNode node = all[current];
            if (!seen.Add(node.Address)) return Corrupt(Reversed(queue), $"The queue is a cycle: it comes back to the node at 0x{node.Address:x}.");
            queue.Add(node);
            if (Waits(reader, layout, node.Address, lockAddress) is not { } waits) return Corrupt(Reversed(queue), $"The node at 0x{node.Address:x} is not in memory.");
            if (!waits) return new McsQueue(Reversed(queue)) { HasOwner = true };
            List<int> before = Before(reader, layout, all, lockAddress, node.Address);
            if (before.Count == 0)
                return new McsQueue(Reversed(queue)) { Problem = $"No node has the one at 0x{node.Address:x} as its next yet: it has joined the queue and is not linked to it." };
            if (before.Count > 1)
                return new McsQueue(Reversed(queue))
                {
                    PossibleOwners = [.. before.ConvertAll(index => all[index])],
                    Problem = $"Who holds it is not certain: {before.Count} nodes have the one at 0x{node.Address:x} as their next, as one that has released the lock keeps it.",
                };
            current = before[0];
        }
    }

    // Nodes that point to one: those that wait for this lock; else those that run, as what has released a lock may have stopped; else all.
    private static List<int> Before(LockReader reader, QueueNode layout, List<McsNode> all, ulong lockAddress, ulong node)
    {
        List<int> waiting = [], running = [], others = [];
        for (int i = 0; i < all.Count; i++)
        {
            if (reader.Number(all[i].Address, layout.Next) != node) continue;
            if (Waits(reader, layout, all[i].Address, lockAddress) == true) waiting.Add(i);
            else if (all[i].CpuIndex is not null) running.Add(i);
            else if (!WaitsElsewhere(reader, layout, all[i].Address, lockAddress)) others.Add(i);
        }
        return waiting.Count > 0 ? waiting : running.Count > 0 ? running : others;
    }

    // Null: not in memory.
    private static bool? Waits(LockReader reader, QueueNode layout, ulong node, ulong lockAddress)
    {
        if (layout.WaitsFor is { } field)
        {
            if (reader.Number(node, field) is not { } waitsFor) return null;
            if (waitsFor != lockAddress) return false;
        }
        return MustWait(reader, layout, node);
    }

    /// <summary>What a node's flag says; null: it is not in memory.</summary>
    public static bool? MustWait(LockReader reader, QueueNode layout, ulong node)
    {
        if (layout.Granted is { } granted) return reader.Number(node, granted) is { } has ? has == 0 : null;
        return reader.Number(node, layout.Waiting!) is { } waits ? waits != 0 : null;
    }

    private static bool WaitsElsewhere(LockReader reader, QueueNode layout, ulong node, ulong lockAddress) =>
        layout.WaitsFor is { } field && reader.Number(node, field) is { } waitsFor && waitsFor != 0 && waitsFor != lockAddress;

    private static McsQueue Corrupt(List<McsNode> nodes, string problem) => new(nodes) { IsCorrupt = true, Problem = problem };

    private static List<McsNode> Reversed(List<McsNode> nodes)
    {
        nodes.Reverse();
        return nodes;
    }

    private static int IndexOf(List<McsNode> nodes, ulong address)
    {
        for (int i = 0; i < nodes.Count; i++)
            if (nodes[i].Address == address) return i;
        return -1;
    }
}
