using System.Collections.Generic;

namespace Vmm.Decoding;

/// <summary>Where the debugger wants to know that an instruction is about to execute. Blocks begin at each of the addresses.</summary>
/// <param name="linear">Linear addresses, in whatever address space is current.</param>
/// <param name="physical">Guest-physical addresses, however they are mapped.</param>
internal sealed class CodeBreakpoints(IEnumerable<ulong> linear, IEnumerable<ulong> physical)
{
    private readonly HashSet<ulong> _linear = [.. linear], _physical = [.. physical];

    public bool IsEmpty => _linear.Count + _physical.Count == 0;

    public bool Contains(ulong linearAddress, ulong physicalAddress) => _linear.Contains(linearAddress) || _physical.Contains(physicalAddress);
}
