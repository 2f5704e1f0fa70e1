namespace Vmm.Buses;

/// <summary>An address in the 64 KiB I/O port space.</summary>
public readonly record struct PortNumber(ushort Value)
{
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A chip with registers in port space.</summary>
public interface IPortDevice
{
    /// <summary>Reads <paramref name="sizeBytes"/> (1, 2 or 4) bytes at <paramref name="port"/>; unused high bits are ignored.</summary>
    uint ReadPort(PortNumber port, int sizeBytes);

    /// <summary>Writes <paramref name="sizeBytes"/> (1, 2 or 4) bytes at <paramref name="port"/>.</summary>
    void WritePort(PortNumber port, int sizeBytes, uint value);
}
