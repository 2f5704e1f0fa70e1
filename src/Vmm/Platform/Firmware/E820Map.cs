using System.Collections.Generic;
using Vmm.Memory;

namespace Vmm.Platform.Firmware;

/// <summary>Types of the BIOS memory map (ACPI 15.1); Multiboot and PVH use the same numbers.</summary>
public enum E820Type : uint
{
    Usable = 1,
    Reserved = 2,
}

/// <summary>A range of the memory map.</summary>
public readonly record struct E820Entry(ulong Start, ulong SizeBytes, E820Type Type);

/// <summary>The memory map as INT 15h E820 gives it, and as kernels that we boot ourselves get it.</summary>
public static class E820Map
{
    /// <summary>Ascending and without overlaps. What is in no entry is nobody's: VGA memory, the PCI hole, the APICs.</summary>
    public static IReadOnlyList<E820Entry> Build(PhysicalMemory memory)
    {
        var entries = new List<E820Entry>
        {
            new(0, PlatformLayout.ExtendedBiosDataArea, E820Type.Usable),
            new(PlatformLayout.ExtendedBiosDataArea, PlatformLayout.UpperMemoryArea - PlatformLayout.ExtendedBiosDataArea,
                E820Type.Reserved),
            new(PlatformLayout.FirmwareTablesStart, PlatformLayout.OneMebibyte - PlatformLayout.FirmwareTablesStart, E820Type.Reserved),
        };
        if (memory.LowSizeBytes > PlatformLayout.OneMebibyte)
            entries.Add(new(PlatformLayout.OneMebibyte, memory.LowSizeBytes - PlatformLayout.OneMebibyte, E820Type.Usable));
        if (memory.HighSizeBytes > 0) entries.Add(new(PhysicalMemory.HoleEnd, memory.HighSizeBytes, E820Type.Usable));
        return entries;
    }
}
