namespace Vmm.Devices.Pci;

/// <summary>A range of addresses that a function decodes now.</summary>
/// <param name="First">First port or guest-physical address.</param>
/// <param name="SizeBytes">How many.</param>
/// <param name="Device">The function that answers.</param>
/// <param name="Region">Which of its regions: the BAR's index, or a number of the function's own above 5.</param>
internal readonly record struct PciWindow(ulong First, ulong SizeBytes, PciDevice Device, int Region);
