namespace Vmm.Tests.Privileged;

/// <summary>The modes that scenarios start in.</summary>
internal enum ProcessorMode
{
    /// <summary>Real-address mode.</summary>
    Real,
    /// <summary>32-bit protected mode without paging.</summary>
    Protected,
    /// <summary>32-bit protected mode with 2-level paging.</summary>
    Paged,
    /// <summary>32-bit code in IA-32e mode.</summary>
    Compatibility,
    /// <summary>64-bit code.</summary>
    Long,
}
