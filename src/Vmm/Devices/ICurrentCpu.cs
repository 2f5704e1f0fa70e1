namespace Vmm.Devices;

/// <summary>
/// Says which processor is doing the current access: every processor sees its own local APIC at the same address.
/// </summary>
internal interface ICurrentCpu
{
    int CurrentCpuIndex { get; }
}
