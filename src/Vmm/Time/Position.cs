using System;

namespace Vmm.Time;

/// <summary>
/// A moment in a machine's life, totally ordered. <paramref name="InstructionCount"/> is the number of guest instructions retired since reset over all
/// vCPUs (each iteration of a REP string instruction counts one). <paramref name="EventOrdinal"/> counts what happened at that count without retiring
/// anything: an input taken, a timer expired, a turn given to another vCPU, an interrupt or exception delivered, idle time
/// skipped. A position names the state before the next of either.
/// </summary>
public readonly record struct Position(ulong InstructionCount, uint EventOrdinal = 0) : IComparable<Position>
{
    public static Position Start => default;

    public int CompareTo(Position other)
    {
        int byCount = InstructionCount.CompareTo(other.InstructionCount);
        return byCount != 0 ? byCount : EventOrdinal.CompareTo(other.EventOrdinal);
    }

    public static bool operator <(Position a, Position b) => a.CompareTo(b) < 0;
    public static bool operator >(Position a, Position b) => a.CompareTo(b) > 0;
    public static bool operator <=(Position a, Position b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Position a, Position b) => a.CompareTo(b) >= 0;

    /// <summary>"123456", or "123456:2" when the ordinal is not zero.</summary>
    public override string ToString() => EventOrdinal == 0 ? $"{InstructionCount}" : $"{InstructionCount}:{EventOrdinal}";
}
