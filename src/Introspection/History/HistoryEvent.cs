using Vmm.Time;

namespace Introspection.History;

/// <summary>What the history tells apart.</summary>
public enum HistoryEventKind : byte
{
    Exception,
    Interrupt,
    SystemCall,
    /// <summary>CR3 was loaded with another root.</summary>
    ContextSwitch,
    /// <summary>Another vCPU gets its turn.</summary>
    Schedule,
    Input,
}

/// <summary>Something that happened, in 16 bytes.</summary>
/// <param name="Count">Instruction count of its position.</param>
/// <param name="Ordinal">Event ordinal of its position.</param>
/// <param name="Kind">What it was.</param>
/// <param name="CpuIndex">The vCPU that it happened to.</param>
/// <param name="Number">Vector, vCPU or kind of input.</param>
public readonly record struct HistoryEvent(ulong Count, uint Ordinal, HistoryEventKind Kind, byte CpuIndex, short Number)
{
    public Position At => new(Count, Ordinal);
}
