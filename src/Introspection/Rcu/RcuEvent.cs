using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>What happens to read-copy-update.</summary>
internal enum RcuStep : byte
{
    /// <summary>A function that begins a critical section returns.</summary>
    ReadLock,
    /// <summary>A function that ends one is entered.</summary>
    ReadUnlock,
    /// <summary>Something is given to be freed later.</summary>
    Defer,
    /// <summary>Something is freed.</summary>
    Free,
    /// <summary>A published pointer is written.</summary>
    Publish,
    /// <summary>The number of the current grace period is written.</summary>
    Current,
    /// <summary>The number of the last one that has ended is written.</summary>
    Completed,
    /// <summary>The number that is both is written.</summary>
    Sequence,
}

/// <summary>One step.</summary>
internal struct RcuEvent
{
    public Position At;
    public RcuStep Step;
    public int CpuIndex;
    /// <summary>What the vCPU runs; 0: unknown.</summary>
    public ulong Task;
    /// <summary>Return address of a call; the instruction of a write.</summary>
    public ulong Code;
    /// <summary>The pointer that is given or freed; the address of what is written.</summary>
    public ulong Address;
    public ulong Old, New;
    /// <summary>Entry of the function.</summary>
    public ulong Function;
}
