using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>
/// What is done to a word with the bits of a writer and the number of readers. A reader may count itself first and then look whether a writer has the lock: it has it when it sees that
/// none has, and if it takes itself off again before, it never had it.
/// </summary>
internal sealed class SharedWordTracker(LockTracker tracker, LockFunctionTable table)
{
    private readonly Dictionary<(ulong Lock, LockUser User), LockUse> _waiting = [];
    // Counted, and not seen to have it yet; several where an interrupt handler reads on its own.
    private readonly Dictionary<(ulong Lock, LockUser User), Stack<LockUse>> _counted = [];

    public void Add(in LockEvent e, LockWord word)
    {
        (ulong, LockUser) key = (word.Owner, LockWordTracker.ActorOf(e, word));
        LockRecord record = tracker.RecordOf(word.Owner, word.TypeName, word.Type);
        if (e.Step == LockStep.Look)
        {
            Look(e, word, key, record);
            return;
        }
        ulong unit = word.Cut(1UL << word.ReaderShift), change = word.Cut(e.Value - e.Frame);
        Position behind = LockWordTracker.Behind(e);
        bool wasWritten = word.IsWritten(e.Frame), isWritten = word.IsWritten(e.Value);
        if (change == unit && wasWritten == isWritten) Count(e, word, key);
        else if (change == word.Cut(0 - unit) && (wasWritten == isWritten || LockTracker.Holds(record, LockWordTracker.UserOf(e), isShared: true))) Discount(e, key, record);
        else if (isWritten && (!wasWritten || (e.Step == LockStep.Store && !word.IsWritten(e.Other)))) Take(Waiting(e, word, key, isShared: false), isShared: false, behind);
        else if (wasWritten && !isWritten)
        {
            LockUse? writer = tracker.Release(record, LockWordTracker.UserOf(e), isShared: false, behind, e.HasInterruptsOn);
            // A writer that becomes a reader.
            if (writer is not null && word.ReadersIn(e.Value) == word.ReadersIn(e.Frame) + 1)
                Take(LockWordTracker.Want(tracker, table, e, word, isShared: true), isShared: true, behind);
        }
        // It says that it waits.
        else if ((e.Value & ~e.Frame) != 0 && word.ReadersIn(e.Value) == word.ReadersIn(e.Frame)) Waiting(e, word, key, isShared: false, keeps: true);
    }

    private void Look(in LockEvent e, LockWord word, (ulong, LockUser) key, LockRecord record)
    {
        if (e.Other == (ulong)LockLook.NoWriter)
        {
            if (!_counted.TryGetValue(key, out Stack<LockUse>? counted) || !counted.TryPop(out LockUse? use)) return;
            _waiting.Remove(key);
            Take(use, isShared: true, LockWordTracker.Behind(e));
        }
        else if (!LockTracker.Holds(record, LockWordTracker.UserOf(e)) && !_counted.ContainsKey(key)) Waiting(e, word, key, e.Other == (ulong)LockLook.ToRead, keeps: true);
    }

    private void Count(in LockEvent e, LockWord word, (ulong, LockUser) key)
    {
        LockUse use = Waiting(e, word, key, isShared: true);
        if ((e.Value & word.BlockMask) == 0)
        {
            Take(use, isShared: true, LockWordTracker.Behind(e));
            return;
        }
        if (!_counted.TryGetValue(key, out Stack<LockUse>? counted)) _counted[key] = counted = [];
        counted.Push(use);
    }

    private void Discount(in LockEvent e, (ulong, LockUser) key, LockRecord record)
    {
        if (_counted.TryGetValue(key, out Stack<LockUse>? counted) && counted.TryPop(out LockUse? use))
        {
            if (counted.Count == 0) _counted.Remove(key);
            // It goes on waiting, in another way.
            _waiting[key] = use;
            return;
        }
        tracker.Release(record, LockWordTracker.UserOf(e), isShared: true, LockWordTracker.Behind(e), e.HasInterruptsOn);
    }

    private void Take(LockUse use, bool isShared, Position at)
    {
        use.TurnOut(isShared);
        tracker.Take(use, at);
    }

    // The use that waits already, which does not any more unless it is kept; or a new one.
    private LockUse Waiting(in LockEvent e, LockWord word, (ulong, LockUser) key, bool isShared, bool keeps = false)
    {
        if (!_waiting.Remove(key, out LockUse? use)) use = LockWordTracker.Want(tracker, table, e, word, isShared);
        if (keeps) _waiting[key] = use;
        return use;
    }
}
