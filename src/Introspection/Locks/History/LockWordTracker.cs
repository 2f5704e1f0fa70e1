using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>Takes what was done to the words of locks, in order, for what it means: who wants, takes and gives back which lock. The instruction that does it is the moment.</summary>
internal sealed class LockWordTracker(LockTracker tracker, LockFunctionTable table)
{
    private readonly SharedWordTracker _shared = new(tracker, table);
    private readonly SemaphoreTracker _semaphores = new(tracker, table);
    // Those that wait, by their lock and who they are, by their lock and ticket, and by their node.
    private readonly Dictionary<(ulong Lock, LockUser User), LockUse> _spinning = [];
    private readonly Dictionary<(ulong Lock, ulong Ticket), List<LockUse>> _tickets = [];
    private readonly Dictionary<ulong, LockUse> _queued = [];

    public void Add(in LockEvent e)
    {
        LockWord word = table.Words.Of(e);
        switch (word.Role)
        {
            case LockWordRole.Locked:
                AddLocked(e, word);
                break;
            case LockWordRole.ReadersAndWriter:
                _shared.Add(e, word);
                break;
            case LockWordRole.SemaphoreCount:
                _semaphores.AddCount(e, word);
                break;
            case LockWordRole.SemaphoreOwner:
                _semaphores.AddOwner(e, word);
                break;
            case LockWordRole.NextTicket:
                // Whoever reads it and then stores it has read what is one less.
                ulong ticket = e.Step == LockStep.Store ? word.Cut(e.Value - 1) : e.Frame;
                if (word.Cut(ticket + 1) == e.Value) Draw(e, word, ticket);
                break;
            case LockWordRole.Serving:
                Release(e, word);
                if (!_tickets.Remove((word.Owner, e.Value), out List<LockUse>? next)) break;
                foreach (LockUse use in next) tracker.Take(use, Behind(e));
                break;
            case LockWordRole.Tail when e.Value == 0:
                Release(e, word);
                break;
            case LockWordRole.Tail:
                LockUse queued = Want(e, word);
                _queued[e.Value] = queued;
                if (e.Frame == 0) tracker.Take(queued, Behind(e));
                break;
            case LockWordRole.NodeFlag:
                if (!_queued.TryGetValue(word.Owner, out LockUse? first) || first.Taken is not null) break;
                tracker.Release(first.Lock, UserOf(e), isShared: false, Behind(e), e.HasInterruptsOn);
                tracker.Take(first, Behind(e));
                break;
        }
    }

    private void AddLocked(in LockEvent e, LockWord word)
    {
        (ulong, LockUser) key = (word.Owner, ActorOf(e, word));
        if (e.Step == LockStep.Look)
        {
            if (!_spinning.ContainsKey(key) && !LockTracker.Holds(tracker.RecordOf(word.Owner, word.TypeName, word.Type), UserOf(e))) _spinning[key] = Want(e, word);
            return;
        }
        bool wasHeld = word.IsHeld(e.Frame), isHeld = word.IsHeld(e.Value);
        // A plain store takes it if its vCPU has seen that it is free, whatever has happened since.
        if (isHeld && (e.Step == LockStep.Store ? !word.IsHeld(e.Other) : !wasHeld))
        {
            if (!_spinning.Remove(key, out LockUse? use)) use = Want(e, word);
            tracker.Take(use, Behind(e));
        }
        else if (wasHeld && !isHeld) Release(e, word);
        // It joins those who wait.
        else if ((e.Value & ~e.Frame & ~word.HeldMask) != 0 && !_spinning.ContainsKey(key)) _spinning[key] = Want(e, word);
    }

    private void Draw(in LockEvent e, LockWord word, ulong ticket)
    {
        LockUse use = Want(e, word);
        if (ticket == e.Other)
        {
            tracker.Take(use, Behind(e));
            return;
        }
        if (!_tickets.TryGetValue((word.Owner, ticket), out List<LockUse>? all)) _tickets[(word.Owner, ticket)] = all = [];
        all.Add(use);
    }

    private LockUse Want(in LockEvent e, LockWord word) => Want(tracker, table, e, word, isShared: false);

    private void Release(in LockEvent e, LockWord word) =>
        tracker.Release(tracker.RecordOf(word.Owner, word.TypeName, word.Type), UserOf(e), isShared: false, Behind(e), e.HasInterruptsOn);

    // ---- For all words.

    /// <summary>Somebody wants a lock, by an instruction.</summary>
    public static LockUse Want(LockTracker tracker, LockFunctionTable table, in LockEvent e, LockWord word, bool isShared) => tracker.Want(
        tracker.RecordOf(word.Owner, word.TypeName, word.Type), UserOf(e), e.Caller, LockUse.InlinedFunction, null, e.At, e.HasInterruptsOn,
        table.KeepsInterruptsOff(word.Owner, word.Type), isShared);

    /// <summary>Who does it.</summary>
    public static LockUser UserOf(in LockEvent e) => new(e.CpuIndex, e.Task);

    /// <summary>The same, whichever vCPU a task is on where tasks have locks.</summary>
    public static LockUser ActorOf(in LockEvent e, LockWord word) => word.Type.IsHeldByTask && e.Task != 0 ? new LockUser(-1, e.Task) : new LockUser(e.CpuIndex, 0);

    /// <summary>The instruction is done: before it, nothing has happened yet.</summary>
    public static Position Behind(in LockEvent e) => new(e.Count + 1);
}
