using System;

namespace Vmm.Buses;

/// <summary>Routes port accesses to chips. A port without a chip reads as all ones and ignores writes, as on ISA.</summary>
public sealed class PortBus
{
    private readonly IPortDevice?[] _devices = new IPortDevice?[65536];

    /// <summary>Gives <paramref name="count"/> ports from <paramref name="first"/> on to <paramref name="device"/>, replacing what was there.</summary>
    public void Map(int first, int count, IPortDevice device) => Array.Fill(_devices, device, first, count);

    /// <summary>Gives every port that nobody has to <paramref name="device"/>; a chip that is mapped later takes its ports from it.</summary>
    public void MapRest(IPortDevice device)
    {
        for (int p = 0; p < _devices.Length; p++) _devices[p] ??= device;
    }

    /// <summary>Takes the ports away from <paramref name="device"/> (a PCI BAR that moves).</summary>
    public void Unmap(int first, int count, IPortDevice device)
    {
        for (int p = first; p < first + count; p++)
            if (ReferenceEquals(_devices[p], device)) _devices[p] = null;
    }

    public uint Read(PortNumber port, int sizeBytes)
    {
        uint mask = sizeBytes == 4 ? uint.MaxValue : (1u << (8 * sizeBytes)) - 1;
        IPortDevice? device = _devices[port.Value];
        return device is null ? mask : device.ReadPort(port, sizeBytes) & mask;
    }

    public void Write(PortNumber port, int sizeBytes, uint value)
    {
        uint mask = sizeBytes == 4 ? uint.MaxValue : (1u << (8 * sizeBytes)) - 1;
        _devices[port.Value]?.WritePort(port, sizeBytes, value & mask);
    }
}
