using System.Collections.Generic;
using Vmm.Buses;

namespace Vmm.Devices;

/// <summary>
/// The page at 0xFEE00000, where every processor finds its own local APIC. Registers are 32 bits wide at multiples of 16;
/// SDM 3A 11.4.1 leaves other accesses undefined: here narrower reads give the register's bytes, and writes of other
/// sizes than 4 and 8 are ignored.
/// </summary>
internal sealed class LocalApicPage(IReadOnlyList<LocalApic> localApics, ICurrentCpu current) : IMmioDevice
{
    public const ulong SizeBytes = 0x1000;

    public ulong ReadMmio(ulong offset, int sizeBytes)
    {
        LocalApic apic = localApics[current.CurrentCpuIndex];
        // In x2APIC mode and when it is disabled the page belongs to nobody.
        if (!apic.IsEnabled || apic.IsX2Apic) return ulong.MaxValue;
        int register = (int)offset & 0xFF0, inside = (int)offset & 15;
        if (inside >= 4) return 0;
        return apic.ReadPage(register) >> (8 * inside);
    }

    public void WriteMmio(ulong offset, int sizeBytes, ulong value)
    {
        LocalApic apic = localApics[current.CurrentCpuIndex];
        if (!apic.IsEnabled || apic.IsX2Apic) return;
        if ((offset & 15) == 0 && sizeBytes >= 4) apic.WritePage((int)offset & 0xFF0, (uint)value);
    }
}
