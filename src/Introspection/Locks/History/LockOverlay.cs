using System;
using System.Collections.Generic;
using Introspection.Locks.Queues;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>Adds to locks at one moment what their memory does not say and their history does: who holds one, since when, and where it was asked for.</summary>
internal sealed class LockOverlay
{
    private readonly LockHistory _history;
    private readonly Position _at;
    private readonly Func<ulong, string?> _nameOfTask;
    private readonly Func<ulong, int?> _cpuOfTask;
    private readonly Dictionary<LockRecord, List<LockUse>> _uses = [];

    /// <param name="history">Covers the moment.</param>
    /// <param name="at">The moment.</param>
    /// <param name="nameOfTask">Null: nothing is known of it.</param>
    /// <param name="cpuOfTask">The vCPU that runs it; null: none.</param>
    public LockOverlay(LockHistory history, Position at, Func<ulong, string?> nameOfTask, Func<ulong, int?> cpuOfTask)
    {
        (_history, _at, _nameOfTask, _cpuOfTask) = (history, at, nameOfTask, cpuOfTask);
        foreach (LockUse use in history.UsesAt(at))
        {
            if (!_uses.TryGetValue(use.Lock, out List<LockUse>? uses)) _uses[use.Lock] = uses = [];
            uses.Add(use);
        }
    }

    /// <summary>Locks that are held or waited for at the moment.</summary>
    public IEnumerable<LockRecord> InUse => _uses.Keys;

    /// <summary>The same lock with what is known of it.</summary>
    public LockView Complete(LockView view)
    {
        if (_history.Find(view.Address) is not { } record) return view;
        List<LockUse> uses = _uses.TryGetValue(record, out List<LockUse>? found) ? [.. found] : [];
        if (OwnerOf(view, uses) is { } known) view = view with { Queue = [known, .. view.Queue], Problem = null };
        var queue = new List<LockWaiter>();
        foreach (LockWaiter one in view.Queue)
        {
            // One who is seen in the function that takes it may have it already.
            if (!one.IsOwner && one.Node is null && uses.Exists(each => IsSameUser(one, each) && each.IsHeldAt(_at))) continue;
            // Whoever has just got it is still in the function that takes it.
            LockUse? use = uses.Find(each => IsSameUser(one, each) && one.IsOwner == each.IsHeldAt(_at)) ?? uses.Find(each => IsSameUser(one, each) && one.IsOwner);
            if (use is not null) uses.Remove(use);
            if (use is not null && one.IsOwner && !use.IsHeldAt(_at) && uses.Exists(each => each.IsHeldAt(_at) && !(each.IsShared && use.IsShared)))
            {
                // In the queue, and its node does not say yet that it waits.
                queue.Add(With(one with { IsOwner = false, Description = $"{NameOf(use)} waits" }, use));
                continue;
            }
            // Whom memory only counts, the history names: several readers are one line there, and waiters have numbers.
            else if (one.CpuIndex is null && one.Task == 0 && uses.Exists(each => each.IsHeldAt(_at) == one.IsOwner)) continue;
            queue.Add(use is null ? one : With(one, use));
        }
        foreach (LockUse use in uses)
        {
            bool holds = use.IsHeldAt(_at);
            // Between the instruction that takes it and the function's return.
            if (!holds && view.Queue.Count == 0 && view.State == LockState.Free && !use.IsContended) continue;
            LockWaiter added = With(new LockWaiter(holds, null, null, $"{NameOf(use)} {(holds ? use.IsShared ? "reads" : "holds it" : "waits")}"), use);
            if (holds) queue.Insert(queue.FindLastIndex(static one => one.IsOwner) + 1, added);
            else queue.Add(added);
        }
        LockState state = view.State;
        if (state != LockState.Corrupt) state = queue.Count == 0 ? state : queue.Exists(static one => !one.IsOwner) ? LockState.Contended : LockState.Held;
        string? problem = view.Problem is { } text && text.StartsWith("Who holds it is not known", StringComparison.Ordinal) && queue.Exists(static one => one.IsOwner) ? null : view.Problem;
        return view with { Queue = queue, State = state, Problem = problem };
    }

    // Whoever holds it, or has begun to take it: others' nodes are only as they left them. One that stands at the beginning of the function that takes it has done nothing yet.
    private LockWaiter? OwnerOf(LockView view, List<LockUse> uses)
    {
        LockWaiter? owner = null;
        foreach (LockWaiter one in view.PossibleOwners)
        {
            if (uses.Find(use => IsSameUser(one, use)) is not { } found || found.Wanted == _at) continue;
            if (found.IsHeldAt(_at)) return one;
            // Two are as good as none.
            if (owner is not null) return null;
            owner = one;
        }
        return owner;
    }

    private static bool IsSameUser(LockWaiter one, LockUse use)
    {
        if (one.Task != 0 && use.User.Task != 0) return one.Task == use.User.Task;
        return one.CpuIndex is { } cpu && cpu == use.User.CpuIndex;
    }

    private LockWaiter With(LockWaiter one, LockUse use) => one with
    {
        CpuIndex = one.CpuIndex ?? (use.Lock.Type.IsHeldByTask && use.User.Task != 0 ? _cpuOfTask(use.User.Task) : use.User.CpuIndex), Task = one.Task != 0 ? one.Task : use.User.Task,
        Since = one.IsOwner && use.IsHeldAt(_at) ? use.Taken : use.Wanted, Caller = use.Caller, IsShared = use.IsShared,
    };

    private string NameOf(LockUse use)
    {
        string cpu = $"vCPU {use.User.CpuIndex}";
        string? task = use.User.Task == 0 ? null : _nameOfTask(use.User.Task);
        return task is null ? cpu : use.Lock.Type.IsHeldByTask ? task : $"{cpu}, {task},";
    }
}
