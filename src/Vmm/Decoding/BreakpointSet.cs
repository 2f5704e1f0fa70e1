using System.Collections.Generic;

namespace Vmm.Decoding;

/// <summary>Where a debugger wants to hear of execution: by linear address, and by guest-physical address whatever it is mapped to.</summary>
/// <param name="linear">Linear addresses.</param>
/// <param name="physical">Guest-physical ones.</param>
/// <param name="tellsWay">Whoever hears of it wants to know which instruction came before, which generated code does not keep.</param>
internal sealed class BreakpointSet(IEnumerable<ulong> linear, IEnumerable<ulong> physical, bool tellsWay)
{
    public bool TellsWay => tellsWay;

    public HashSet<ulong> Linear { get; } = [.. linear];
    public HashSet<ulong> Physical { get; } = [.. physical];

    public bool IsEmpty => Linear.Count == 0 && Physical.Count == 0;

    /// <summary>Blocks that were decoded with one are as they would be with the other.</summary>
    public bool IsSame(BreakpointSet other) => TellsWay == other.TellsWay && Linear.SetEquals(other.Linear) && Physical.SetEquals(other.Physical);

    public bool Contains(ulong linear, ulong physical) => Linear.Contains(linear) || Physical.Contains(physical);
}
