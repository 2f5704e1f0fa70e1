using System.Collections.Generic;
using Vmm.Memory;

namespace Vmm.Buses;

/// <summary>A chip with registers in guest-physical memory.</summary>
public interface IMmioDevice
{
    /// <summary>Reads <paramref name="sizeBytes"/> (1, 2, 4 or 8) bytes at <paramref name="offset"/> from the start of its region.</summary>
    ulong ReadMmio(ulong offset, int sizeBytes);

    /// <summary>Writes <paramref name="sizeBytes"/> (1, 2, 4 or 8) bytes at <paramref name="offset"/> from the start of its region.</summary>
    void WriteMmio(ulong offset, int sizeBytes, ulong value);
}

/// <summary>Routes guest-physical addresses outside RAM to chips. Nothing there reads as all ones.</summary>
public sealed class MmioBus
{
    private readonly record struct Region(ulong First, ulong SizeBytes, IMmioDevice Device);

    private readonly List<Region> _regions = [];

    /// <summary>Maps a region; a later one wins where two overlap.</summary>
    public void Map(GuestPhysicalAddress first, ulong sizeBytes, IMmioDevice device) =>
        _regions.Insert(0, new Region(first.Value, sizeBytes, device));

    /// <summary>Gives every address that no region has, now or later, to <paramref name="device"/>; offsets are then addresses.</summary>
    public void MapRest(IMmioDevice device) => _regions.Add(new Region(0, ulong.MaxValue, device));

    /// <summary>Removes every region of <paramref name="device"/> that starts at <paramref name="first"/> (a PCI BAR that moves).</summary>
    public void Unmap(GuestPhysicalAddress first, IMmioDevice device) =>
        _regions.RemoveAll(r => r.First == first.Value && ReferenceEquals(r.Device, device));

    /// <summary>The chip at an address, and the offset in its region.</summary>
    public bool TryFind(GuestPhysicalAddress address, out IMmioDevice device, out ulong offset)
    {
        foreach (Region r in _regions)
        {
            offset = address.Value - r.First;
            if (offset >= r.SizeBytes) continue;
            device = r.Device;
            return true;
        }
        device = null!;
        offset = 0;
        return false;
    }

    public ulong Read(GuestPhysicalAddress address, int sizeBytes) =>
        TryFind(address, out IMmioDevice device, out ulong offset) ? device.ReadMmio(offset, sizeBytes) : ulong.MaxValue;

    public void Write(GuestPhysicalAddress address, int sizeBytes, ulong value)
    {
        if (TryFind(address, out IMmioDevice device, out ulong offset)) device.WriteMmio(offset, sizeBytes, value);
    }
}
