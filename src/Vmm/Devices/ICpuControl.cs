namespace Vmm.Devices;

/// <summary>
/// Implemented by the machine: messages of the APIC bus that act on a processor and not on its local APIC's registers.
/// </summary>
internal interface ICpuControl
{
    /// <summary>
    /// INIT: registers to their INIT values, then wait for a startup message (SDM 3A 9.4.3). The local APIC is already
    /// reset.
    /// </summary>
    void Init(int cpu);

    /// <summary>
    /// SIPI: a processor that waits for one starts in real mode at <paramref name="vector"/> times 4096; others ignore
    /// it.
    /// </summary>
    void Startup(int cpu, byte vector);

    void Nmi(int cpu);
}
