namespace Vmm.Decoding;

/// <summary>How an instruction's handler ended.</summary>
public enum Completion
{
    /// <summary>Retired; the next instruction of the block follows.</summary>
    Next = 0,
    /// <summary>Retired; VcpuState.Rip holds the next address, and the block ends here (branches, and whatever changes how code is decoded or fetched).</summary>
    EndBlock = 1,
    /// <summary>Not retired: Vcpu.PendingException says why; VcpuState.Rip is set to the instruction by the caller; nothing else has changed.</summary>
    Fault = 2,
    /// <summary>Iterations of a REP string instruction were retired (one is still to be counted by the caller) and more follow: RIP stays.</summary>
    Repeat = 3,
}
