using System;
using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Atomics;

/// <summary>Puts accesses together, in order: which attempt is a retry of which, and what happened to the word since its value was read.</summary>
internal sealed class AtomicTracker(AtomicTarget target)
{
    private const int MaximumChanges = 1 << 20;

    // What somebody knows of a byte of the word.
    private struct Knowledge
    {
        public bool IsKnown;
        public byte Value;
        public Position At;
        public int Change;
    }

    private struct Chain
    {
        public ulong Code, Frame;
        public int Failures;
    }

    private readonly Dictionary<ulong, Knowledge[]> _known = [];
    private readonly Dictionary<ulong, Chain> _chains = [];
    // Which bytes of the word each change has changed.
    private readonly List<ushort> _changes = [];
    private int _firstChange;

    /// <summary>Null: only a load.</summary>
    public AtomicAttempt? Add(in AtomicAccess access)
    {
        if (!_known.TryGetValue(access.Actor, out Knowledge[]? known)) _known[access.Actor] = known = new Knowledge[AtomicTarget.MaximumBytes];
        AtomicAttempt? attempt = access.Kind == AtomicKind.Load ? null : AttemptOf(access, known);
        if (access.Kind != AtomicKind.Load && access.HasWon) NoteChange(access);
        Learn(access, known);
        return attempt;
    }

    private AtomicAttempt AttemptOf(in AtomicAccess access, Knowledge[] known)
    {
        Position? readAt = null;
        int changes = 0, retry = 0;
        if (access.Kind == AtomicKind.CompareExchange)
        {
            (readAt, changes) = SinceRead(access, known);
            retry = RetryOf(access);
        }
        string name = access.CpuIndex < 0 ? "transfer" : access.Mnemonic.ToString().ToLowerInvariant();
        return new AtomicAttempt
        {
            At = access.At, Kind = access.Kind, CpuIndex = access.CpuIndex, Task = access.Task, Code = access.Code, IsLocked = access.IsLocked, Address = access.Address,
            Instruction = access.IsLocked && access.Kind != AtomicKind.Exchange ? $"lock {name}" : name, SizeBytes = access.SizeBytes,
            Expected = access.Kind == AtomicKind.CompareExchange ? access.Expected : null, Old = access.Old, New = access.New, HasWon = access.HasWon, Retry = retry,
            ReadAt = readAt, ChangesSinceRead = changes,
        };
    }

    // By the same instruction on the same stack, with nothing but failures in between.
    private int RetryOf(in AtomicAccess access)
    {
        _chains.TryGetValue(access.Actor, out Chain chain);
        if (chain.Code != access.Code || chain.Frame != access.Frame) chain = new Chain { Code = access.Code, Frame = access.Frame };
        int retry = chain.Failures;
        chain.Failures = access.HasWon ? 0 : retry + 1;
        _chains[access.Actor] = chain;
        return retry;
    }

    // All bytes must have been read with what is expected now: else the expectation has another source, as a constant.
    private (Position? At, int Changes) SinceRead(in AtomicAccess access, Knowledge[] known)
    {
        Position? first = null;
        int since = int.MaxValue;
        for (int i = 0; i < access.SizeBytes; i++)
        {
            long offset = OffsetOf(access, i);
            if (offset < 0 || offset >= target.SizeBytes) continue;
            Knowledge one = known[offset];
            if (!one.IsKnown || one.Value != (byte)(access.Expected >> (8 * i))) return (null, 0);
            since = Math.Min(since, one.Change);
            if (first is null || one.At < first) first = one.At;
        }
        ushort wanted = MaskOf(access, static (_, _) => true);
        int count = 0;
        for (int i = Math.Max(since - _firstChange, 0); first is not null && i < _changes.Count; i++)
            if ((_changes[i] & wanted) != 0 && IsNews(_changes[i], _firstChange + i, known)) count++;
        return (first, count);
    }

    // A change of a byte that was read again behind it is known.
    private static bool IsNews(ushort changed, int change, Knowledge[] known)
    {
        for (int i = 0; i < known.Length; i++)
            if ((changed >> i & 1) != 0 && known[i].Change <= change) return true;
        return false;
    }

    private void NoteChange(in AtomicAccess access)
    {
        ushort changed = MaskOf(access, static (access, i) => (byte)(access.Old >> (8 * i)) != (byte)(access.New >> (8 * i)));
        if (changed == 0) return;
        if (_changes.Count >= MaximumChanges)
        {
            _changes.RemoveRange(0, MaximumChanges / 2);
            _firstChange += MaximumChanges / 2;
        }
        _changes.Add(changed);
    }

    // Who has written knows what is there, yet has not read it: what it expects next may be a constant, as of a lock.
    private void Learn(in AtomicAccess access, Knowledge[] known)
    {
        bool isRead = access.Kind == AtomicKind.Load || !access.HasWon;
        for (int i = 0; i < access.SizeBytes; i++)
        {
            long offset = OffsetOf(access, i);
            if (offset < 0 || offset >= target.SizeBytes) continue;
            known[offset] = new Knowledge { IsKnown = isRead, Value = (byte)(access.Old >> (8 * i)), At = access.At, Change = _firstChange + _changes.Count };
        }
    }

    private ushort MaskOf(in AtomicAccess access, Func<AtomicAccess, int, bool> isWanted)
    {
        ushort mask = 0;
        for (int i = 0; i < access.SizeBytes; i++)
        {
            long offset = OffsetOf(access, i);
            if (offset >= 0 && offset < target.SizeBytes && isWanted(access, i)) mask |= (ushort)(1 << (int)offset);
        }
        return mask;
    }

    private long OffsetOf(in AtomicAccess access, int index) => access.CpuIndex < 0 && !target.IsPhysical ? -1 : (long)(access.Address + (ulong)index - target.Address);
}
