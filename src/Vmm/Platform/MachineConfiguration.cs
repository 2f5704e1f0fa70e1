using System.Collections.Generic;

namespace Vmm.Platform;

/// <summary>How guest time passes (see the determinism contract).</summary>
public enum ClockKind
{
    /// <summary>A function of InstructionCount; idle time is skipped.</summary>
    Virtual = 0,
    /// <summary>Follows the host; each reading is an input.</summary>
    Host = 1,
}

/// <summary>What the machine starts.</summary>
public enum BootKind
{
    /// <summary>Decided by the file: Linux bzImage, Multiboot 1 or 2, PVH or plain ELF.</summary>
    Kernel = 0,
    /// <summary>The first sector of disk 0, in real mode, with a minimal BIOS.</summary>
    BootSector = 1,
    /// <summary>A ROM image at the reset vector.</summary>
    Bios = 2,
}

/// <summary>Which chip the guest finds its disks behind.</summary>
public enum DiskInterface
{
    Ata = 0,
    Virtio = 1,
}

/// <summary>An immutable image that a machine was built from. Recordings carry it whole.</summary>
/// <param name="Role">"kernel", "initrd", "bios", "disk0" .. "disk3".</param>
/// <param name="Name">File name, for people.</param>
/// <param name="Content">Its bytes.</param>
public sealed record MachineImage(string Role, string Name, System.ReadOnlyMemory<byte> Content);

/// <summary>
/// Everything that fixes a machine besides its inputs: equal configurations and equal inputs give equal machines, on any host.
/// </summary>
public sealed record MachineConfiguration
{
    /// <summary>1..8.</summary>
    public int CpuCount { get; init; } = 1;
    /// <summary>RAM in bytes, a multiple of 1 MiB, 1 MiB..16 GiB.</summary>
    public ulong MemorySizeBytes { get; init; } = 256UL << 20;
    public BootKind Boot { get; init; }
    public ClockKind Clock { get; init; }
    public DiskInterface DiskInterface { get; init; }
    /// <summary>Kernel command line.</summary>
    public string CommandLine { get; init; } = "";
    /// <summary>Seed of the chaos scheduler; null: fixed quanta, in turn.</summary>
    public ulong? ChaosSeed { get; init; }
    /// <summary>How the vCPUs take turns. Chaos belongs to <see cref="TurnPolicy.Standard"/>.</summary>
    public TurnPolicy TurnPolicy { get; init; }
    /// <summary>With <see cref="TurnPolicy.Forced"/>: the switches, in rising order.</summary>
    public IReadOnlyList<ForcedSwitch> ForcedSwitches { get; init; } = [];
    /// <summary>Seconds since 1970-01-01T00:00Z that the RTC shows at reset.</summary>
    public long StartTimeSeconds { get; init; } = 1_767_225_600; // 2026-01-01
    public IReadOnlyList<MachineImage> Images { get; init; } = [];
    /// <summary>False: nothing is put into memory, as a state of later will be restored; kernel and initrd may be missing.</summary>
    public bool Boots { get; init; } = true;
    /// <summary>What executes at first. No state depends on it, and no recording says it: who opens one chooses anew.</summary>
    public EngineKind Engine { get; init; }

    public MachineImage? FindImage(string role)
    {
        foreach (MachineImage image in Images)
            if (image.Role == role) return image;
        return null;
    }
}
