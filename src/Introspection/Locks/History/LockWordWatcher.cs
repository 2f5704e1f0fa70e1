using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Atomics;
using Introspection.State;
using Vmm.Platform;

namespace Introspection.Locks.History;

/// <summary>Tells what an access to a word of a lock is, in one interval of a recording.</summary>
internal sealed class LockWordWatcher(LockWordTable words)
{
    // One look in vain may be of somebody who only tries.
    private const int LooksOfWaiter = 2, MaximumWriteBytes = 8;
    // RWSEM_READER_OWNED of kernel/locking/rwsem.c.
    private const ulong ReaderOwned = 1;

    // What a vCPU has seen of a lock since it has changed.
    private struct Looks
    {
        public ulong Code;
        public int Count;
        public ulong? LastRead;
        // It was told that no writer has the lock, since it has changed the word itself.
        public bool HasSeenNoWriter;
    }

    private readonly AtomicInstructions _instructions = new();
    private readonly Dictionary<ulong, Looks[]> _looks = [];

    public void Begin() => _looks.Clear();

    /// <summary>Calls back with a template for each step; its vCPU's registers are not looked at.</summary>
    public void See(in GuestView view, in MachineEvent e, Action<LockEvent> add)
    {
        if (e.SizeBytes > MaximumWriteBytes) return;
        foreach (LockWord word in words.Touched(e.Address, e.SizeBytes))
        {
            AtomicKind kind = _instructions.Decode(view, view.CodeAddressOf(e.Rip), out Instruction i);
            See(view, e, word, kind, i, 0, add);
        }
    }

    /// <summary>The same of an instruction that is about to access the word of a lock without a place of its own. False: it is watched.</summary>
    public bool SeeAhead(in GuestView view, in MachineEvent e, LockWord model, Action<LockEvent> add)
    {
        AtomicKind kind = _instructions.Decode(view, view.CodeAddressOf(e.Rip), out Instruction i);
        if (MemoryAccess.Foresee(view, i, kind) is not { } access) return true;
        // Perhaps only a part of the word is accessed, which is where words of its size are.
        ulong address = access.Address - access.Address % (ulong)model.SizeBytes - model.Address;
        if (words.Contains(address)) return false;
        MachineEventKind what = kind == AtomicKind.Load ? MachineEventKind.Read : MachineEventKind.Write;
        See(view, e with { Kind = what, Address = access.Address, SizeBytes = access.SizeBytes, Value = access.Value }, model.At(address), kind, i, address, add);
        return true;
    }

    private void See(in GuestView view, in MachineEvent e, LockWord word, AtomicKind kind, in Instruction i, ulong address, Action<LockEvent> add)
    {
        if (view.ReadNumber(word.Address, word.SizeBytes) is not { } old) return;
        LockStep? step = e.Kind == MachineEventKind.Read ? Read(view, word, kind, i.IP, old, out ulong value, out ulong other)
            : Write(view, word, kind, i, old, word.Cut(Merged(old, word.Address, e)), out value, out other);
        if (step is not { } known) return;
        add(new LockEvent(e.At.InstructionCount, e.At.EventOrdinal, known, (byte)e.CpuIndex, word.Number, false, value, old, 0, i.NextIP) { Other = other, Lock = address });
    }

    private LockStep? Read(in GuestView view, LockWord word, AtomicKind kind, ulong code, ulong old, out ulong value, out ulong other)
    {
        (value, other) = (old, 0);
        // What an instruction reads that writes too is seen at its write.
        if (kind != AtomicKind.Load) return null;
        if (word.Role == LockWordRole.Locked) return Look(view, word, code, old);
        if (word.Role is not (LockWordRole.ReadersAndWriter or LockWordRole.SemaphoreCount)) return null;
        bool isWritten = word.IsWritten(old);
        ref Looks looks = ref LooksOf(view, word);
        looks.LastRead = old;
        // A reader who counts itself first has the lock once it sees that no writer has.
        if (!isWritten && !looks.HasSeenNoWriter && word.Role == LockWordRole.ReadersAndWriter && word.ReadersIn(old) > 0)
        {
            (looks.HasSeenNoWriter, other) = (true, (ulong)LockLook.NoWriter);
            CountLook(ref looks, code, isInVain: true);
            return LockStep.Look;
        }
        other = (ulong)LockLook.InVain;
        return CountLook(ref looks, code, isWritten || word.ReadersIn(old) > 0) ? LockStep.Look : null;
    }

    private LockStep? Write(in GuestView view, LockWord word, AtomicKind kind, in Instruction instruction, ulong old, ulong value, out ulong newValue, out ulong other)
    {
        ulong code = instruction.IP;
        (newValue, other) = (value, 0);
        bool isSwap = kind is AtomicKind.CompareExchange or AtomicKind.Exchange or AtomicKind.ExchangeAdd or AtomicKind.Update;
        switch (word.Role)
        {
            case LockWordRole.ReadersAndWriter or LockWordRole.SemaphoreCount:
                return WriteShared(view, word, kind, instruction, old, value, isSwap, out other);
            case LockWordRole.SemaphoreOwner:
                // A reader may say it again; what a writer says is in the count.
                return (value & ReaderOwned) != 0 ? LockStep.Store : null;
            case LockWordRole.Locked:
                if (isSwap && word.IsHeld(old) && (old & ~word.HeldMask) == (value & ~word.HeldMask) && word.IsHeld(value)) return Look(view, word, code, old);
                if (isSwap && old == value) return null;
                ref Looks looks = ref LooksOf(view, word);
                other = looks.LastRead ?? old;
                looks.LastRead = isSwap ? old : null;
                // Broken locks are stored to by who has seen that they are held.
                if (old == value && word.IsHeld(other)) return null;
                foreach (ref Looks each in _looks[word.Owner].AsSpan()) each.Count = 0;
                break;
            case LockWordRole.NodeFlag:
                if (word.IsGrant ? old != 0 || value == 0 : old == 0 || value != 0) return null;
                break;
            case LockWordRole.NextTicket:
                if (isSwap && old == value) return null;
                if (view.ReadNumber(word.ServingAddress, word.SizeBytes) is not { } serving) return null;
                other = serving;
                break;
            default:
                if (old == value) return null;
                break;
        }
        return isSwap ? LockStep.Swap : LockStep.Store;
    }

    private LockStep? WriteShared(in GuestView view, LockWord word, AtomicKind kind, in Instruction instruction, ulong old, ulong value, bool isSwap, out ulong other)
    {
        ref Looks looks = ref LooksOf(view, word);
        other = looks.LastRead ?? old;
        looks.LastRead = isSwap ? old : null;
        if (isSwap && old == value)
        {
            if (kind != AtomicKind.CompareExchange) return null;
            ulong wanted = word.Cut(RegisterFile.Get(ref view.Vcpu.State, instruction.Op1Register.ToString().ToLowerInvariant()) ?? 0);
            bool wantsToWrite = word.IsWritten(wanted) && !word.IsWritten(word.Cut(view.Vcpu.State.Rax));
            other = (ulong)(wantsToWrite ? LockLook.ToWrite : LockLook.ToRead);
            // A reader that only was slower than another one does not wait.
            return CountLook(ref looks, instruction.IP, word.IsWritten(old) || (wantsToWrite && word.ReadersIn(old) > 0)) ? LockStep.Look : null;
        }
        // Broken locks are stored to by who has not looked in between.
        if (old == value && !(word.IsWritten(value) && !word.IsWritten(other) && word.ReadersIn(other) == 0)) return null;
        looks.HasSeenNoWriter = false;
        foreach (ref Looks each in _looks[word.Owner].AsSpan()) each.Count = 0;
        if (word.Waiters is { } waiters) other = LastWaiterOf(view, waiters);
        return isSwap ? LockStep.Swap : LockStep.Store;
    }

    // Who has just joined a semaphore's list of waiters is its last one (struct list_head: next, prev).
    private static ulong LastWaiterOf(in GuestView view, SemaphoreWaiters waiters)
    {
        if (view.ReadNumber(waiters.Head + sizeof(ulong), sizeof(ulong)) is not { } last || last == waiters.Head) return 0;
        return view.ReadNumber(last - waiters.Link + waiters.Task, sizeof(ulong)) ?? 0;
    }

    private LockStep? Look(in GuestView view, LockWord word, ulong code, ulong old)
    {
        ref Looks looks = ref LooksOf(view, word);
        looks.LastRead = old;
        return CountLook(ref looks, code, word.IsHeld(old)) ? LockStep.Look : null;
    }

    // True: it is the one that tells that its vCPU waits.
    private static bool CountLook(ref Looks looks, ulong code, bool isInVain)
    {
        if (looks.Code != code) (looks.Code, looks.Count) = (code, 0);
        if (!isInVain)
        {
            looks.Count = 0;
            return false;
        }
        looks.Count = Math.Min(looks.Count + 1, LooksOfWaiter + 1);
        return looks.Count == LooksOfWaiter;
    }

    private ref Looks LooksOf(in GuestView view, LockWord word)
    {
        if (!_looks.TryGetValue(word.Owner, out Looks[]? all)) _looks[word.Owner] = all = new Looks[view.Machine.Vcpus.Count];
        return ref all[view.Vcpu.Index];
    }

    // The word as it is behind the write.
    private static ulong Merged(ulong old, ulong address, in MachineEvent e)
    {
        ulong value = old;
        for (int i = 0; i < e.SizeBytes; i++)
        {
            long at = (long)(e.Address + (ulong)i - address);
            if (at is >= 0 and < 8) value = value & ~(0xFFUL << (int)(8 * at)) | (e.Value >> (8 * i) & 0xFF) << (int)(8 * at);
        }
        return value;
    }
}
