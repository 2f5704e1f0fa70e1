using Vmm.Cpu;

namespace Vmm.Time;

/// <summary>The time axis: guest instructions retired over all vCPUs, exact in the middle of a block as well.</summary>
internal sealed class InstructionCounter
{
    /// <summary>Up to the last boundary.</summary>
    public ulong Retired;
    /// <summary>Events since the last retirement.</summary>
    public uint EventOrdinal;
    /// <summary>The vCPU that is executing a block, or null between blocks.</summary>
    public Vcpu? Running;

    public ulong Current => Running is { } vcpu ? vcpu.CurrentCount : Retired;

    /// <summary>Position of the instruction or event that is happening.</summary>
    public Position Position
    {
        get
        {
            ulong current = Current;
            return new Position(current, current == Retired ? EventOrdinal : 0);
        }
    }
}
