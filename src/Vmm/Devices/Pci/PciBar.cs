namespace Vmm.Devices.Pci;

/// <summary>What a base address register decodes.</summary>
internal enum PciBarKind : byte
{
    None = 0,
    Io,
    Memory32,
}

/// <summary>One base address register: its kind and the size of what it decodes, a power of two.</summary>
internal readonly record struct PciBar(PciBarKind Kind, uint SizeBytes);
