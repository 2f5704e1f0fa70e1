using System.Collections.Generic;

namespace Vmm.Decoding;

/// <summary>Where a debugger wants to hear of execution: by linear address, and by guest-physical address whatever it is mapped to.</summary>
internal sealed class BreakpointSet(IEnumerable<ulong> linear, IEnumerable<ulong> physical)
{
    public HashSet<ulong> Linear { get; } = [.. linear];
    public HashSet<ulong> Physical { get; } = [.. physical];

    public bool IsEmpty => Linear.Count == 0 && Physical.Count == 0;

    public bool Contains(ulong linear, ulong physical) => Linear.Contains(linear) || Physical.Contains(physical);
}
