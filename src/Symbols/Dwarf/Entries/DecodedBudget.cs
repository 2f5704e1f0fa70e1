using System.Collections.Generic;

namespace Symbols.Dwarf.Entries;

/// <summary>
/// How much all units of a program may have decoded at a time. What was read of whole units: when it is too much, all but the one in use drop theirs. What was read of single
/// entries is soon read again, and kept for the last few units only: the garbage collector moves what is kept, and a look-up may have to wait for it.
/// </summary>
internal sealed class DecodedBudget(DwarfInfo owner, long budgetBytes)
{
    /// <summary>About as many as the next few questions go to.</summary>
    private const int RecentUnits = 4;

    private readonly HashSet<DebugUnit> _charged = [];
    private readonly Queue<DebugUnit> _recent = new(RecentUnits + 1);
    private long _chargedBytes;

    /// <summary>The program.</summary>
    internal DwarfInfo Owner => owner;

    internal void Charge(DebugUnit unit, long sizeBytes)
    {
        _charged.Add(unit);
        _chargedBytes += sizeBytes;
        if (_chargedBytes <= budgetBytes) return;
        foreach (DebugUnit other in _charged)
            if (other != unit) other.Release();
        _charged.Clear();
        _charged.Add(unit);
        _chargedBytes = sizeBytes;
    }

    /// <summary>A unit has begun to keep what it reads of single entries.</summary>
    internal void Note(DebugUnit unit)
    {
        _recent.Enqueue(unit);
        if (_recent.Count > RecentUnits) _recent.Dequeue().Forget();
    }
}
