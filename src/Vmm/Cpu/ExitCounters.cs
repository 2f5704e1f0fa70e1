using System;

namespace Vmm.Cpu;

/// <summary>How often the guest left to the VMM, by reason, since reset: part of the machine's state, so that it can be asked at any position.</summary>
public sealed class ExitCounters
{
    private readonly ulong[] _counts = new ulong[(int)ExitReason.Count];

    public ulong this[ExitReason reason] => _counts[(int)reason];

    internal void Increment(ExitReason reason) => _counts[(int)reason]++;

    internal Span<ulong> Raw => _counts;
}
