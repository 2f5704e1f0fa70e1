using System.Collections.Generic;

namespace Symbols.Dwarf.Entries;

/// <summary>How much all units of a program may have decoded at a time: when it is too much, all but the one in use drop theirs.</summary>
internal sealed class DecodedBudget(DwarfInfo owner, long budgetBytes)
{
    private readonly HashSet<DebugUnit> _charged = [];
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
}
