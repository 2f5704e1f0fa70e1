using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>
/// What is done to the words of Linux's <c>rw_semaphore</c> (kernel/locking/rwsem.c of 6.1). Whoever takes it to write sets the writer's bit itself. A reader counts itself, and says in
/// the owner's word that it has it; or takes itself off again and joins the list of waiters, and is counted by the one that wakes it, together with those behind it. The one that wakes
/// counts the first of them on trial, names it in the owner's word, and counts the others; so what one step means, the next one may have to tell.
/// </summary>
internal sealed class SemaphoreTracker(LockTracker tracker, LockFunctionTable table)
{
    private const ulong HasWaiters = 2, OwnerFlags = 7;

    // What is known of one semaphore.
    private sealed class State
    {
        // Readers in its list, the first first.
        public readonly List<LockUse> Queue = [];
        // Who waits, or tries.
        public readonly Dictionary<LockUser, LockUse> Waiting = [];
        // Who has counted a reader that is nobody's yet.
        public readonly Dictionary<LockUser, LockEvent> Counted = [];
        // Who has it, and has yet to say so in the owner's word.
        public readonly HashSet<LockUser> Silent = [];
        // Who has woken the first of the list, and has yet to count the others.
        public LockUser? Waker;
    }

    private readonly Dictionary<ulong, State> _states = [];

    /// <summary>The count was looked at in vain, or has changed.</summary>
    public void AddCount(in LockEvent e, LockWord word)
    {
        State state = StateOf(word);
        LockRecord record = tracker.RecordOf(word.Owner, word.TypeName, word.Type);
        LockUser actor = LockWordTracker.ActorOf(e, word), user = LockWordTracker.UserOf(e);
        if (e.Step == LockStep.Look)
        {
            if (!LockTracker.Holds(record, user) && !IsQueued(state, actor, word) && !state.Counted.ContainsKey(actor)) Wait(state, actor, e, word, isShared: false);
            return;
        }
        Position behind = LockWordTracker.Behind(e);
        bool wasWritten = word.IsWritten(e.Frame), isWritten = word.IsWritten(e.Value);
        long readers = ((long)e.Value >> word.ReaderShift) - ((long)e.Frame >> word.ReaderShift);
        if (wasWritten && !isWritten)
        {
            tracker.Release(record, user, isShared: false, behind, e.HasInterruptsOn);
            // A writer that becomes a reader.
            if (readers == 1) TakeToRead(state, actor, e, word, isSilent: true);
            readers = 0;
        }
        if (!wasWritten && isWritten)
        {
            if (!state.Waiting.Remove(actor, out LockUse? use)) use = Want(e, word, isShared: false);
            Take(use, isShared: false, behind);
        }
        if (readers > 0) Count(state, record, actor, e, word, readers);
        else if (readers < 0) Discount(state, record, actor, e, word);
        else if ((e.Value & ~e.Frame & HasWaiters) != 0) Wait(state, actor, e, word, isShared: false);
        // Nobody is in the list now: who was, and has not got it, was killed.
        if ((e.Value & HasWaiters) != 0) return;
        foreach (LockUse use in state.Queue) tracker.Abandon(use, behind);
        state.Queue.Clear();
    }

    /// <summary>The owner's word says that a reader has it.</summary>
    public void AddOwner(in LockEvent e, LockWord word)
    {
        State state = StateOf(word);
        LockUser actor = LockWordTracker.ActorOf(e, word);
        ulong task = e.Value & ~OwnerFlags;
        bool isOwn = task == e.Task;
        if (isOwn && state.Silent.Remove(actor)) return;
        if (!state.Counted.Remove(actor, out LockEvent counted)) return;
        int index = state.Queue.FindIndex(use => use.User.Task == task);
        if (index >= 0)
        {
            for (int i = 0; i < index; i++) tracker.Abandon(state.Queue[i], LockWordTracker.Behind(e));
            LockUse first = state.Queue[index];
            state.Queue.RemoveRange(0, index + 1);
            Take(first, isShared: true, LockWordTracker.Behind(e));
            if (state.Queue.Count > 0) state.Waker = actor;
        }
        else if (isOwn) TakeToRead(state, actor, counted, word, isSilent: false, LockWordTracker.Behind(e));
        // It came before what is known begins.
        else if (task != 0) Take(Want(e with { Task = task }, word, isShared: true), isShared: true, LockWordTracker.Behind(e));
    }

    private void Count(State state, LockRecord record, LockUser actor, in LockEvent e, LockWord word, long readers)
    {
        bool wakes = state.Waker == actor || (state.Queue.Count > 0 && LockTracker.Holds(record, LockWordTracker.UserOf(e), isShared: true));
        if (state.Waker == actor) state.Waker = null;
        if (wakes)
        {
            for (; readers > 0 && state.Queue.Count > 0; readers--)
            {
                Take(state.Queue[0], isShared: true, LockWordTracker.Behind(e));
                state.Queue.RemoveAt(0);
            }
        }
        else if ((e.Value & word.BlockMask) == 0) TakeToRead(state, actor, e, word, isSilent: true);
        else state.Counted[actor] = e;
    }

    private void Discount(State state, LockRecord record, LockUser actor, in LockEvent e, LockWord word)
    {
        if (!state.Counted.Remove(actor, out LockEvent counted))
        {
            tracker.Release(record, LockWordTracker.UserOf(e), isShared: true, LockWordTracker.Behind(e), e.HasInterruptsOn);
            return;
        }
        // Else it was counted on trial by one that would have woken another.
        if (e.Other != e.Task || IsQueued(state, actor, word)) return;
        if (!state.Waiting.Remove(actor, out LockUse? use)) use = Want(counted, word, isShared: true);
        use.TurnOut(isShared: true);
        state.Queue.Add(use);
    }

    private void TakeToRead(State state, LockUser actor, in LockEvent e, LockWord word, bool isSilent, Position? at = null)
    {
        if (!state.Waiting.Remove(actor, out LockUse? use)) use = Want(e, word, isShared: true);
        Take(use, isShared: true, at ?? LockWordTracker.Behind(e));
        if (isSilent) state.Silent.Add(actor);
    }

    private void Take(LockUse use, bool isShared, Position at)
    {
        use.TurnOut(isShared);
        tracker.Take(use, at);
    }

    private void Wait(State state, LockUser actor, in LockEvent e, LockWord word, bool isShared)
    {
        if (!state.Waiting.ContainsKey(actor)) state.Waiting[actor] = Want(e, word, isShared);
    }

    private LockUse Want(in LockEvent e, LockWord word, bool isShared) => LockWordTracker.Want(tracker, table, e, word, isShared);

    private static bool IsQueued(State state, LockUser actor, LockWord word) =>
        state.Queue.Exists(use => word.Type.IsHeldByTask && use.User.Task != 0 ? use.User.Task == actor.Task : use.User.CpuIndex == actor.CpuIndex);

    private State StateOf(LockWord word)
    {
        if (!_states.TryGetValue(word.Owner, out State? state)) _states[word.Owner] = state = new State();
        return state;
    }
}
